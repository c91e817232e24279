"""Each event is handed to the store once; once more where a process was killed, which changes nothing there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from memory_store import MemoryStore, delivery, no_wait, only_run, record

from heft.workflow.tracking.records import append_comparison


@dataclass
class CountingStore(MemoryStore):
    """Keeps every call in order: what was logged, and which runs were ended or superseded."""

    logged: list[tuple[str, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def log(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None:
        events = list(events)
        super().log(run_id, events)
        self.logged += [(event["event"], event.get("step", -1)) for event in events]

    def create_run(self, start: Mapping[str, Any], file: str, computed_from_runs: Iterable[str]) -> str:
        self.calls.append("create")
        return super().create_run(start, file, computed_from_runs)

    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        self.calls.append(f"end {status}")
        super().end_run(run_id, status, seconds, error)

    def supersede(self, run_id: str) -> None:
        self.calls.append("supersede")
        super().supersede(run_id)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CountingStore:
    monkeypatch.chdir(tmp_path)
    return CountingStore()


EVENTS = [("start", -1), ("metrics", 1), ("metrics", 2), ("artifact", -1), ("end", -1)]


def test_events_that_arrive_one_by_one_are_each_logged_once(store: CountingStore, tmp_path: Path) -> None:
    Path("results/e").mkdir(parents=True)
    Path("results/e/page.html").write_text("page")
    following = delivery(store)
    with record() as run:
        following.poll()
        run.metrics({"loss": 1.0}, step=1)
        following.poll()
        following.poll()
        run.metrics({"loss": 0.5}, step=2)
        run.artifact("results/e/page.html")
        following.poll()
    assert following.drain(5, no_wait) == 0
    assert store.logged == EVENTS
    assert store.calls == ["create", "end FINISHED"]


def test_a_second_delivery_of_what_was_delivered_asks_nothing_of_the_store(store: CountingStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0}, step=1)
    assert delivery(store).drain(5, no_wait) == 0
    assert (only_run(store)["status"], only_run(store)["metrics"]) == ("FINISHED", [(1, {"loss": 1.0})])
    logged, calls, runs = list(store.logged), list(store.calls), {key: dict(run) for key, run in store.runs.items()}
    for _ in range(2):
        again = delivery(store)
        assert again.drain(5, no_wait) == 0
        assert again.n_delivered == 0
    assert (store.logged, store.calls, store.runs) == (logged, calls, runs)


def test_a_delivery_that_was_cut_hands_over_the_events_of_its_open_run_once_more(
    store: CountingStore,
) -> None:
    run = record()
    run.metrics({"loss": 1.0}, step=1)
    delivery(store).poll()  # by a process that is then killed
    run.metrics({"loss": 0.5}, step=2)
    run.end()
    assert delivery(store).drain(5, no_wait) == 0
    assert store.logged == [("start", -1), ("metrics", 1), ("start", -1), ("metrics", 1), ("metrics", 2), ("end", -1)]
    assert store.calls == ["create", "end FINISHED"]


def test_rows_of_the_comparison_are_delivered_once_each(store: CountingStore) -> None:
    row = {"experiment": "e", "seed": 0, "variant": "ip", "method": "ip", "ensemble": "", "members": 1, "options": "{}"}
    rows = [row | {"action": "remove", "fraction": fraction, "test_accuracy": fraction} for fraction in (0.1, 0.3)]
    append_comparison(Path("results/e/seed0/metrics/ip.record.jsonl"), rows)
    for _ in range(2):
        assert delivery(store).drain(5, no_wait) == 0
    assert store.calls == ["create", "end FINISHED"] * 2
    assert sorted(run["metrics"][0][1]["test_accuracy"] for run in store.runs.values()) == [0.1, 0.3]
    assert [event for event, _ in store.logged].count("metrics") == 2


def test_a_stage_that_runs_again_supersedes_its_former_run_once(store: CountingStore) -> None:
    for _ in range(2):
        Path("results/e/seed0/train/record.jsonl").unlink(missing_ok=True)
        with record():
            pass
        for _ in range(2):
            assert delivery(store).drain(5, no_wait) == 0
    assert store.calls == ["create", "end FINISHED", "supersede", "create", "end FINISHED"]
    assert [run["superseded"] for run in store.runs.values()] == ["true", "false"]


def test_a_store_that_lists_replaced_runs_last_does_not_make_them_current_where_the_notes_are_lost(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        Path("results/e/seed0/train/record.jsonl").unlink(missing_ok=True)
        with record():
            pass
        assert delivery(store).drain(5, no_wait) == 0
    for note in Path(".heft").glob("delivered-*"):
        note.unlink()
    in_order = store.known_runs("e")
    monkeypatch.setattr(store, "known_runs", lambda experiment: list(in_order)[::-1])
    with record("results/e/seed0/checkpoints/record.jsonl", "checkpoint", parents=["e/seed0/train"]):
        pass
    assert delivery(store).drain(5, no_wait) == 0
    assert [run["from"] for run in store.runs.values() if run["key"] == "e/seed0/checkpoint"] == [["run1"]]
    assert store.calls.count("supersede") == 1


def test_a_run_of_which_something_was_refused_is_still_ended_when_it_is_replaced(store: CountingStore) -> None:
    run = record()
    delivery(store).poll()
    run.metrics({"loss": 1.0}, step=1)
    store.refuses = "e/seed0/train"
    assert delivery(store).drain(5, no_wait) == 1
    assert [stored["status"] for stored in store.runs.values()] == ["RUNNING"]
    store.refuses = "nothing"
    run.path.unlink()  # the job was killed, and its stage runs again
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    ends = [(stored["status"], stored["superseded"]) for stored in store.runs.values()]
    assert ends == [("KILLED", "true"), ("FINISHED", "false")]
