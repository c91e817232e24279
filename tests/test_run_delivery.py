"""Runs that live on after the time for them is over, and runs whose record is gone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from memory_store import PATH, MemoryStore

from heft.workflow.tracking.run_delivery import RunDelivery

FILE = Path(PATH)


@dataclass
class EndingStore(MemoryStore):
    """Notes which runs are ended, in order."""

    ended: list[tuple[str, str]] = field(default_factory=list)

    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        super().end_run(run_id, status, seconds, error)
        self.ended.append((run_id, status))


@pytest.fixture
def store() -> EndingStore:
    return EndingStore()


def started(record: str) -> dict[str, Any]:
    known = {"key": "e/train", "stage": "train", "experiment": "e", "parents": []}
    return {"event": "start", "record": record, "time": 1.0, **known}


def test_a_lost_run_is_ended_also_if_nothing_is_known_of_its_record(store: EndingStore) -> None:
    store.create_run(started("gone"), PATH, [])
    RunDelivery(store, (ConnectionError,)).end_lost_runs(refused=())
    assert store.ended == [("run0", "KILLED")]


def test_a_lost_run_of_a_file_that_the_store_refuses_is_left_alone(store: EndingStore) -> None:
    store.create_run(started("gone"), PATH, [])
    RunDelivery(store, (ConnectionError,)).end_lost_runs(refused=[PATH])
    assert store.ended == []


def test_a_run_that_was_ended_as_lost_is_not_ended_once_more_by_what_replaces_it(store: EndingStore) -> None:
    deliver = RunDelivery(store, (ConnectionError,))
    assert not deliver.deliver([started("first")], FILE, held=True)
    deliver.end_lost_runs(refused=())
    deliver.deliver([started("second")], FILE, held=True)
    assert store.ended == [("run0", "KILLED")]
    assert [run["superseded"] for run in store.runs.values()] == ["true", "false"]


def test_what_a_job_that_lives_on_still_notes_is_delivered(store: EndingStore) -> None:
    deliver = RunDelivery(store, (ConnectionError,))
    events = [started("first")]
    deliver.deliver(events, FILE, held=True)
    deliver.end_lost_runs(refused=())
    events += [
        {"event": "metrics", "step": 0, "values": {"loss": 0.5}},
        {"event": "end", "status": "FINISHED", "time": 2.0, "error": ""},
    ]
    assert deliver.deliver(events, FILE, held=False)
    assert store.runs["run0"]["metrics"] == [(0, {"loss": 0.5})]
    assert store.ended == [("run0", "KILLED"), ("run0", "FINISHED")]
