"""Delivery: each event reaches the store once, whatever is killed, replaced or down in between."""

import os
from pathlib import Path

import pytest
from memory_store import PATH, ROW, MemoryStore, delivery, no_wait, only_run, record

from heft.workflow.tracking.delivered import waiting
from heft.workflow.tracking.records import append_comparison


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.chdir(tmp_path)
    return MemoryStore()


def test_a_curve_arrives_while_its_stage_runs(store: MemoryStore) -> None:
    following = delivery(store)
    with record() as run:
        for step in (1, 2, 3):
            run.metrics({"loss": 1 / step}, step=step)
            following.poll()
            assert [seen for seen, _ in only_run(store)["metrics"]] == list(range(1, step + 1))
            assert only_run(store)["status"] == "RUNNING"
    following.poll()
    assert only_run(store)["status"] == "FINISHED"


def test_no_event_is_sent_again_while_its_stage_runs_or_after_its_end(store: MemoryStore) -> None:
    following = delivery(store)
    with record() as run:
        for name in ("a.json", "b.json"):
            Path(name).touch()
            run.artifact(name)
            following.poll()
    following.poll()
    assert following.drain(5, no_wait) == 0
    assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["artifacts"] == ["a.json", "b.json"]


def test_a_record_that_nobody_writes_any_more_ends_as_killed(store: MemoryStore) -> None:
    run = record()
    following = delivery(store)
    following.poll()
    assert only_run(store)["status"] == "RUNNING"
    (descriptor,) = (
        fd for fd in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{fd}").resolve() == run.path.resolve()
    )
    os.close(int(descriptor))
    assert following.drain(5, no_wait) == 0
    assert only_run(store)["status"] == "KILLED"


def test_a_run_whose_record_is_gone_ends_as_killed(store: MemoryStore) -> None:
    run = record()
    following = delivery(store)
    following.poll()
    run.path.unlink()
    assert following.drain(5, no_wait) == 0
    assert only_run(store)["status"] == "KILLED"


def test_a_run_replaces_that_of_the_former_name_of_its_stage(store: MemoryStore) -> None:
    for stage in ("members", "auxiliary"):
        with record(f"results/e/seed0/{stage}/folds/group0/record.jsonl", stage, variant="folds group0"):
            pass
        assert delivery(store).drain(5, no_wait) == 0
    superseded = {run["key"]: run["superseded"] for run in store.runs.values()}
    assert superseded == {"e/seed0/members/folds group0": "true", "e/seed0/auxiliary/folds group0": "false"}


def test_a_killed_run_that_is_replaced_is_ended_and_superseded(store: MemoryStore) -> None:
    run = record()
    delivery(store).poll()
    run.path.unlink()
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    assert [(r["status"], r["superseded"]) for r in store.runs.values()] == [("KILLED", "true"), ("FINISHED", "false")]
    Path(PATH).unlink()
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    assert [r["superseded"] for r in store.runs.values()] == ["true", "true", "false"]


def test_a_run_names_the_runs_that_it_was_computed_from_though_its_file_sorts_before_theirs(store: MemoryStore) -> None:
    with record():
        pass
    with record("results/e/seed0/checkpoints/record.jsonl", "checkpoint", parents=["e/seed0/train"]):
        pass
    following = delivery(store)
    following.drain(5, no_wait)
    runs = {run["key"]: (run_id, run) for run_id, run in store.runs.items()}
    assert runs["e/seed0/checkpoint"][1]["from"] == [runs["e/seed0/train"][0]]


def test_a_failed_stage_is_delivered_from_the_copy_that_outlives_its_output(store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="no"), record():
        raise ValueError("no")
    Path(PATH).unlink()
    assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["status"] == "FAILED"
    assert list(Path(".heft/failed").iterdir()) == []


def test_a_row_that_left_the_comparison_is_superseded(store: MemoryStore) -> None:
    path = Path("results/e/seed0/metrics/ip.record.jsonl")
    for fractions in ((0.1, 0.3), (0.1,)):
        path.unlink(missing_ok=True)
        append_comparison(path, [ROW | {"action": "remove", "fraction": fraction} for fraction in fractions])
        assert delivery(store).drain(5, no_wait) == 0
    current = [run["key"] for run in store.runs.values() if run["superseded"] == "false"]
    assert current == ["e/seed0/evaluate/ip/remove/0.1"]


def test_a_record_that_the_store_refuses_holds_up_no_other(store: MemoryStore) -> None:
    store.refuses = "e/seed0/score/a"
    for variant in ("a", "b"):
        with record(f"results/e/{variant}.record.jsonl", "score", variant=variant):
            pass
    following = delivery(store)
    assert following.drain(5, no_wait) == 1
    assert [str(error) for error in following.refused.values()] == ["no such run"]
    assert [run["status"] for run in store.runs.values()] == ["RUNNING", "FINISHED"]
    store.refuses = "nothing"
    assert delivery(store).drain(5, no_wait) == 0
    assert [run["status"] for run in store.runs.values()] == ["FINISHED", "FINISHED"]


def test_what_waits_is_told_without_the_store(store: MemoryStore) -> None:
    assert waiting("memory", "project") == []
    with record():
        pass
    with record("results/e/b.record.jsonl", "score", variant="b"):
        pass
    assert len(waiting("memory", "project")) == 2
    store.refuses = "e/seed0/score/b"
    assert delivery(store).drain(5, no_wait) == 1
    assert waiting("memory", "project") == [Path("results/e/b.record.jsonl")]
    store.refuses = "nothing"
    assert delivery(store).drain(5, no_wait) == 0
    assert waiting("memory", "project") == []
    assert len(waiting("another store", "project")) == 2
    assert len(waiting("memory", "a copy")) == 2
    with record("results/e/b.record.jsonl", "score", variant="b"):
        pass
    assert waiting("memory", "project") == [Path("results/e/b.record.jsonl")]
