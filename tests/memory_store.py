"""A tracking store in memory that can be down or refuse, and a delivery to it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heft.workflow.places import STATE
from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.records import RunRecord

PATH = "results/e/seed0/train/record.jsonl"
ROW = {"experiment": "e", "seed": 0, "variant": "ip", "method": "ip", "ensemble": "", "members": 1, "options": "{}"}


def no_wait(seconds: float) -> None:
    """Stands in for time.sleep."""


@dataclass
class MemoryStore:
    """A store in memory that can be down, refuse a key, and lose its answer to `create_run`."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False
    older: list[str] = field(default_factory=list)
    refuses: str = "nothing"
    loses_answer: bool = False

    def _check(self) -> None:
        if self.down:
            raise ConnectionError

    def denies(self, error: Exception) -> bool:
        return isinstance(error, PermissionError)

    def reachable(self) -> bool:
        return not self.down

    def known_runs(self, experiment: str) -> Iterable[Mapping[str, str]]:
        self._check()
        names = ("record", "key", "record_file", "superseded", "status")
        newest_first = reversed(self.runs.items())
        return [{"run_id": run_id} | {name: run[name] for name in names} for run_id, run in newest_first]

    def older_records(self, experiment: str) -> Iterable[str]:
        self._check()
        return self.older

    def running_runs(self) -> Iterable[Mapping[str, str]]:
        return [run for run in self.known_runs("") if run["status"] == "RUNNING"]

    def find_run(self, experiment: str, record: str) -> str | None:
        self._check()
        return next((run_id for run_id, run in self.runs.items() if run["record"] == record), None)

    def create_run(self, start: Mapping[str, Any], file: str, computed_from_runs: Iterable[str]) -> str:
        self._check()
        run_id = f"run{len(self.runs)}"
        facts = {"record": start["record"], "key": start["key"], "record_file": file, "from": list(computed_from_runs)}
        self.runs[run_id] = {"status": "RUNNING", "superseded": "false", "metrics": [], "artifacts": [], **facts}
        if self.loses_answer:
            self.down = True
            raise ConnectionError
        return run_id

    def log(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None:
        self._check()
        if self.runs[run_id]["key"] == self.refuses:
            raise ValueError("no such run")
        for event in events:
            if event["event"] == "metrics" and (event["step"], event["values"]) not in self.runs[run_id]["metrics"]:
                self.runs[run_id]["metrics"].append((event["step"], event["values"]))
            if event["event"] == "artifact":
                self.runs[run_id]["artifacts"].append(event["path"])

    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        self._check()
        self.runs[run_id]["status"] = status

    def supersede(self, run_id: str) -> None:
        self._check()
        if run_id not in self.runs:
            raise ValueError("no such run")
        self.runs[run_id]["superseded"] = "true"

    def close_parents(self) -> None:
        self._check()


def delivery(
    store: MemoryStore,
    errors: tuple[type[Exception], ...] = (ConnectionError, ValueError),
    say: Callable[[str], None] = print,
) -> Delivery:
    STATE.mkdir(exist_ok=True)
    return Delivery(store, DeliveredNote("memory", "project"), errors, say)


def record(path: str = PATH, stage: str = "train", **run: Any) -> RunRecord:
    return RunRecord.start(path, "e", stage, seed=0, **run)


def only_run(store: MemoryStore) -> dict[str, Any]:
    assert len(store.runs) == 1
    return next(iter(store.runs.values()))
