"""Delivery: each event reaches the store once, whatever is killed, replaced or down in between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from heft.delivery import Delivery, Ledger
from heft.records import RunRecord

PATH = "results/e/seed0/train/record.jsonl"


@dataclass
class MemoryStore:
    """A store in memory that can be down."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False

    def _check(self) -> None:
        if self.down:
            raise ConnectionError

    def known_runs(self, experiment: str) -> Iterable[Mapping[str, str]]:
        self._check()
        return [
            {"record": r["record"], "key": r["key"], "superseded": r["superseded"], "run_id": i, "status": r["status"]}
            for i, r in self.runs.items()
        ]

    def open_run(self, start: Mapping[str, Any], computed_from_runs: Iterable[str]) -> str:
        self._check()
        run_id = f"run{len(self.runs)}"
        facts = {"status": "RUNNING", "superseded": "false", "metrics": [], "artifacts": []}
        self.runs[run_id] = {"record": start["record"], "key": start["key"], "from": list(computed_from_runs), **facts}
        return run_id

    def log_metrics(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None:
        self._check()
        self.runs[run_id]["metrics"] += [(event["step"], event["values"]) for event in events]

    def log_artifact(self, run_id: str, event: Mapping[str, Any]) -> None:
        self._check()
        self.runs[run_id]["artifacts"].append(event["path"])

    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        self._check()
        self.runs[run_id]["status"] = status

    def supersede(self, run_id: str) -> None:
        self._check()
        self.runs[run_id]["superseded"] = "true"

    def close_parents(self) -> None:
        self._check()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.chdir(tmp_path)
    return MemoryStore()


def delivery(store: MemoryStore) -> Delivery:
    return Delivery(store, Ledger("memory"), (ConnectionError,))


def record(path: str = PATH, stage: str = "train", **run: Any) -> RunRecord:
    return RunRecord.start(path, "e", stage, seed=0, **run)


def one(store: MemoryStore) -> dict[str, Any]:
    assert len(store.runs) == 1
    return next(iter(store.runs.values()))


def test_a_finished_record_becomes_one_run_however_often_it_is_delivered(store: MemoryStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0}, step=1)
    for _ in range(3):
        assert delivery(store).drain(0) == 0
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
    import os

    run = record()
    following = delivery(store)
    following.poll()
    assert one(store)["status"] == "RUNNING"
    os.close(run._descriptor)
    assert following.drain(0) == 0
    assert one(store)["status"] == "KILLED"


def test_a_run_whose_record_is_gone_ends_as_killed(store: MemoryStore) -> None:
    run = record()
    following = delivery(store)
    following.poll()
    run.path.unlink()
    assert following.drain(0) == 0
    assert one(store)["status"] == "KILLED"


def test_a_stage_that_runs_again_replaces_its_former_run(store: MemoryStore) -> None:
    for _ in range(2):
        Path(PATH).unlink(missing_ok=True)
        with record():
            pass
        assert delivery(store).drain(0) == 0
    assert [run["superseded"] for run in store.runs.values()] == ["true", "false"]
    assert [run["status"] for run in store.runs.values()] == ["FINISHED", "FINISHED"]


def test_a_killed_run_that_is_replaced_is_ended_and_superseded(store: MemoryStore) -> None:
    run = record()
    delivery(store).poll()
    run.path.unlink()
    with record():
        pass
    assert delivery(store).drain(0) == 0
    assert [(r["status"], r["superseded"]) for r in store.runs.values()] == [("KILLED", "true"), ("FINISHED", "false")]
    Path(PATH).unlink()
    with record():
        pass
    assert delivery(store).drain(0) == 0
    assert [r["superseded"] for r in store.runs.values()] == ["true", "true", "false"]


def test_nothing_is_lost_while_the_store_is_down(store: MemoryStore) -> None:
    with record() as run:
        run.metrics({"loss": 1.0})
    store.down = True
    assert delivery(store).drain(0) == 1
    store.down = False
    assert delivery(store).drain(0) == 0
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
    assert delivery(store).drain(0) == 0
    for ledger in Path(".heft").glob("delivered-*"):
        ledger.unlink()
    assert delivery(store).drain(0) == 0
    assert one(store)["status"] == "FINISHED"


def test_a_run_names_the_runs_that_it_was_computed_from(store: MemoryStore) -> None:
    with record():
        pass
    with record("results/e/seed0/checkpoints/record.jsonl", "checkpoint", parents=["e/seed0/train"]):
        pass
    following = delivery(store)
    following.drain(0)
    runs = {run["key"]: (run_id, run) for run_id, run in store.runs.items()}
    # Files are read in the order of their names, so a parent may come later; its key is always in `computed_from`.
    assert runs["e/seed0/checkpoint"][1]["from"] in ([], [runs["e/seed0/train"][0]])


def test_a_failed_stage_is_delivered_from_the_copy_that_outlives_its_output(store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="no"), record():
        raise ValueError("no")
    Path(PATH).unlink()
    assert delivery(store).drain(0) == 0
    assert one(store)["status"] == "FAILED"
    assert list(Path(".heft/failed").iterdir()) == []
