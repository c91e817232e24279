"""What was lost, replaced or refused on the way is delivered once all the same."""

import os
from pathlib import Path

import pytest
from memory_store import PATH, MemoryStore, delivery, no_wait, only_run, record

from heft.workflow.places import STATE
from heft.workflow.tracking.delivered import DeliveredNote, file_state, waiting


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.chdir(tmp_path)
    return MemoryStore()


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
    assert only_run(store)["status"] == "FINISHED"


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


def test_a_run_whose_creation_was_not_answered_is_found_again_by_the_same_delivery(store: MemoryStore) -> None:
    with record():
        pass
    store.loses_answer = True
    following = delivery(store)
    assert not following.poll()
    store.loses_answer = store.down = False
    assert following.poll()
    assert only_run(store)["status"] == "FINISHED"


def test_a_job_that_outlives_the_killed_run_is_waited_for(store: MemoryStore) -> None:
    run = record()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            run.end()

    assert delivery(store).drain(60, wait) == 0
    assert (len(waits), only_run(store)["status"]) == (2, "FINISHED")


def test_a_job_that_lives_on_for_long_is_not_left_running_and_its_end_comes_with_the_next_delivery(
    store: MemoryStore,
) -> None:
    run = record()
    assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["status"] == "KILLED"
    run.metrics({"loss": 1.0}, step=2)
    run.end()
    assert delivery(store).drain(5, no_wait) == 0
    assert (only_run(store)["status"], only_run(store)["metrics"]) == ("FINISHED", [(2, {"loss": 1.0})])


def test_a_store_that_was_made_anew_gets_everything_again(store: MemoryStore) -> None:
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    store.runs.clear()
    assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["status"] == "FINISHED"


def test_a_stage_that_runs_again_does_not_need_the_run_that_a_person_deleted(store: MemoryStore) -> None:
    for _ in range(2):
        Path(PATH).unlink(missing_ok=True)
        with record():
            pass
        store.runs.clear()
        assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["status"] == "FINISHED"


def test_a_slow_store_does_not_keep_the_drain_beyond_its_time(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("heft.workflow.tracking.delivery.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(MemoryStore, "log", lambda *_: clock.__setitem__(0, clock[0] + 1.0))
    for index in range(30):
        with record(f"results/e/{index}.record.jsonl", "score", variant=f"v{index}"):
            pass
    assert delivery(store).drain(10, no_wait) == 30 - 11
    assert clock[0] <= 11


def test_a_damaged_note_spoils_nothing(store: MemoryStore) -> None:
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    note = DeliveredNote("memory", "project")
    lines = (b'{"file": "res', b"\xff", b"[]", b'{"project": "project", "file": 5, "state": 5}', b"[" * 100_000)
    note.path.write_bytes(b"\n".join(lines))
    assert waiting("memory", "project") == [Path(PATH)]
    assert delivery(store).drain(5, no_wait) == 0
    assert waiting("memory", "project") == []
    assert only_run(store)["status"] == "FINISHED"


def test_a_store_that_was_deleted_is_not_taken_for_full(store: MemoryStore) -> None:
    with record():
        pass
    STATE.mkdir()
    Path("mlflow.db").touch()
    note = DeliveredNote("sqlite:///mlflow.db", "project")
    (path,) = waiting("sqlite:///mlflow.db", "project")
    state = file_state(path)
    assert state is not None
    note.delivered(path, state)
    assert waiting("sqlite:///mlflow.db", "project") == []
    Path("mlflow.db").unlink()
    assert waiting("sqlite:///mlflow.db", "project") == [path]


def test_a_note_is_shortened_and_says_the_same(store: MemoryStore) -> None:
    STATE.mkdir()
    Path("results").mkdir()
    Path("results/record.jsonl").touch()
    note = DeliveredNote("memory", "project")
    assert note.first_to_say("line 5")
    for date in range(200):
        note.delivered(Path("results/record.jsonl"), (date, 0))
    note.shorten()
    assert len(note.path.read_text().splitlines()) == 2
    again = DeliveredNote("memory", "project")
    assert not again.first_to_say("line 5")
    os.utime("results/record.jsonl", ns=(199, 199))
    assert again.holds(Path("results/record.jsonl"))


def test_lines_that_are_no_events_are_said_once_and_hold_up_nothing(store: MemoryStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0})
    lines = Path(PATH).read_text().splitlines()
    bad = lines[1].replace("1.0", '"one"')
    Path(PATH).write_text("\n".join([lines[0], "5", bad, *lines[1:], ""]))
    with record("results/e/b.record.jsonl", "score", variant="b"):
        pass
    said: list[str] = []
    for _ in range(2):
        assert delivery(store, say=said.append).drain(5, no_wait) == 0
    assert [run["status"] for run in store.runs.values()] == ["FINISHED", "FINISHED"]
    assert store.runs["run0"]["metrics"] == [(0, {"loss": 1.0})]
    assert [text.partition(" is left out: ")[0] for text in said] == [f"{PATH}, line 2,", f"{PATH}, line 3,"]


def test_runs_that_older_versions_delivered_are_neither_doubled_nor_touched(store: MemoryStore) -> None:
    with record() as run:
        pass
    store.older = [run.id]
    assert delivery(store).drain(5, no_wait) == 0
    assert store.runs == {}
    assert waiting("memory", "project") == []
