"""Delivery: each event reaches the store once, whatever is killed, replaced or down in between."""

import os
from pathlib import Path

import pytest
from memory_store import PATH, ROW, MemoryStore, delivery, no_wait, one, record

from heft.delivery import STATE
from heft.ledger import Delivered, Ledger
from heft.records import append_comparison


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.chdir(tmp_path)
    return MemoryStore()


def test_a_finished_record_becomes_one_run_however_often_it_is_delivered(store: MemoryStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0}, step=1)
    for _ in range(3):
        assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "FINISHED"
    assert one(store)["metrics"] == [(1, {"loss": 1.0})]


def test_a_curve_arrives_while_its_stage_runs(store: MemoryStore) -> None:
    following = delivery(store)
    with record() as run:
        for step in (1, 2, 3):
            run.metrics({"loss": 1 / step}, step=step)
            following.poll()
            assert [seen for seen, _ in one(store)["metrics"]] == list(range(1, step + 1))
            assert one(store)["status"] == "RUNNING"
    following.poll()
    assert one(store)["status"] == "FINISHED"


def test_a_record_that_nobody_writes_any_more_ends_as_killed(store: MemoryStore) -> None:
    run = record()
    following = delivery(store)
    following.poll()
    assert one(store)["status"] == "RUNNING"
    os.close(run._descriptor)
    assert following.drain(5, no_wait) == 0
    assert one(store)["status"] == "KILLED"


def test_a_run_whose_record_is_gone_ends_as_killed(store: MemoryStore) -> None:
    run = record()
    following = delivery(store)
    following.poll()
    run.path.unlink()
    assert following.drain(5, no_wait) == 0
    assert one(store)["status"] == "KILLED"


def test_a_stage_that_runs_again_replaces_its_former_run(store: MemoryStore) -> None:
    for _ in range(2):
        Path(PATH).unlink(missing_ok=True)
        with record():
            pass
        assert delivery(store).drain(5, no_wait) == 0
    assert [run["superseded"] for run in store.runs.values()] == ["true", "false"]
    assert [run["status"] for run in store.runs.values()] == ["FINISHED", "FINISHED"]


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


def test_nothing_is_lost_while_the_store_is_down(store: MemoryStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0})
    store.down = True
    assert delivery(store).drain(5, no_wait) == 1
    store.down = False
    assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "FINISHED"


def test_a_store_that_comes_back_during_the_drain_gets_everything(store: MemoryStore) -> None:
    with record():
        pass
    store.down = True
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        store.down = len(waits) < 3

    assert delivery(store).drain(60, wait) == 0
    assert waits == [0.5, 1.0, 2.0]
    assert one(store)["status"] == "FINISHED"


def test_a_lost_ledger_doubles_nothing(store: MemoryStore) -> None:
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    for ledger in Path(".heft").glob("delivered-*"):
        ledger.unlink()
    assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "FINISHED"


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
    assert one(store)["status"] == "FAILED"
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


def test_a_run_whose_creation_was_not_answered_is_found_again(store: MemoryStore) -> None:
    with record("results/e/record.jsonl", "split"):
        pass
    assert delivery(store).drain(5, no_wait) == 0
    with record():
        pass
    store.loses_answer = True
    assert delivery(store).drain(5, no_wait) == 1
    store.loses_answer = store.down = False
    assert delivery(store).drain(5, no_wait) == 0
    assert [run["status"] for run in store.runs.values()] == ["FINISHED", "FINISHED"]


def test_a_job_that_outlives_the_killed_run_is_waited_for(store: MemoryStore) -> None:
    run = record()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            run.end()

    assert delivery(store).drain(60, wait) == 0
    assert (len(waits), one(store)["status"]) == (2, "FINISHED")


def test_a_job_that_lives_on_for_long_is_not_left_running_and_its_end_comes_with_the_next_delivery(
    store: MemoryStore,
) -> None:
    run = record()
    assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "KILLED"
    run.metrics({"loss": 1.0}, step=2)
    run.end()
    assert delivery(store).drain(5, no_wait) == 0
    assert (one(store)["status"], one(store)["metrics"]) == ("FINISHED", [(2, {"loss": 1.0})])


def test_a_store_that_was_made_anew_gets_everything_again(store: MemoryStore) -> None:
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    store.runs.clear()
    store.made = "tomorrow"
    assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "FINISHED"


def test_a_stage_that_runs_again_does_not_need_the_run_that_a_person_deleted(store: MemoryStore) -> None:
    for _ in range(2):
        Path(PATH).unlink(missing_ok=True)
        with record():
            pass
        store.runs.clear()
        assert delivery(store).drain(5, no_wait) == 0
    assert one(store)["status"] == "FINISHED"


def test_a_slow_store_does_not_keep_the_drain_beyond_its_time(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("heft.delivery.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(MemoryStore, "log", lambda *_: clock.__setitem__(0, clock[0] + 1.0))
    for index in range(30):
        with record(f"results/e/{index}.record.jsonl", "score", variant=f"v{index}"):
            pass
    assert delivery(store).drain(10, no_wait) == 30 - 11
    assert clock[0] <= 11


def test_half_a_line_of_a_killed_delivery_spoils_nothing(store: MemoryStore) -> None:
    ledger = Ledger("memory", STATE)
    ledger.path.write_text('{"record": "12')
    ledger.note(Delivered("34", "e/train", "run0"))
    assert list(Ledger("memory", STATE).entries) == ["34"]
