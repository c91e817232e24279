"""Turns records into runs of the tracker, each event once, whatever is killed or down in between."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from heft.records import FAILED, is_open, read_events

STATE = Path(".heft")
PATTERNS = ("results/**/record.jsonl", "results/**/*.record.jsonl", f"{FAILED.as_posix()}/*.record.jsonl")


class RunStore(Protocol):
    """What a tracker does; `heft.tracking.Tracker` is one."""

    def known_runs(self, experiment: str) -> Iterable[Mapping[str, str]]: ...
    def open_run(self, start: Mapping[str, Any], computed_from_runs: Iterable[str]) -> str: ...
    def log_metrics(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None: ...
    def log_artifact(self, run_id: str, event: Mapping[str, Any]) -> None: ...
    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None: ...
    def supersede(self, run_id: str) -> None: ...
    def close_parents(self) -> None: ...


@dataclass
class Delivered:
    """How far a record is delivered: its run, how many of its events, and whether the run has ended."""

    record: str
    key: str
    run_id: str
    n_events: int = 0
    ended: bool = False


class Ledger:
    """What was delivered to one store, as lines appended to a file; the last line of a record counts."""

    def __init__(self, uri: str, folder: Path = STATE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"delivered-{hashlib.sha256(uri.encode()).hexdigest()[:12]}.jsonl"
        self.entries: dict[str, Delivered] = {}
        self.latest: dict[str, str] = {}  # key -> record
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            if line.endswith("}"):
                self._take(Delivered(**json.loads(line)))

    def note(self, entry: Delivered) -> None:
        """Keeps an entry's present state."""
        self._take(entry)
        with self.path.open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps(asdict(entry)) + "\n")

    def _take(self, entry: Delivered) -> None:
        self.entries[entry.record] = entry
        self.latest[entry.key] = entry.record


class Delivery:
    """Delivers the records of this folder to a store; safe to repeat, and to start again after a kill."""

    def __init__(self, store: RunStore, ledger: Ledger, unreachable: tuple[type[Exception], ...]) -> None:
        self._store, self._ledger, self._unreachable = store, ledger, unreachable
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._unfinished: set[Path] = set()
        self._rebuilt: set[str] = set()
        self.n_delivered = 0

    def poll(self) -> bool:
        """Delivers what is new; returns False where the store could not be reached (the rest stays for later)."""
        for path in self._changed():
            try:
                self._deliver_file(path)
            except FileNotFoundError:
                continue
            except self._unreachable:
                self._seen.pop(path, None)
                return False
        return True

    def drain(self, seconds: float, wait: Callable[[float], None] = time.sleep) -> int:
        """Delivers all there is, for at most `seconds`; returns how many record files still wait.

        Runs without an end that no process writes any more, or whose record is gone, end as KILLED.
        """
        end = time.monotonic() + seconds
        delay = 0.5
        while True:
            self._seen = {path: state for path, state in self._seen.items() if path not in self._unfinished}
            if self.poll() and self._end_lost_runs():
                return 0
            if time.monotonic() + delay > end:
                return len(list(self._changed()))
            wait(delay)
            delay = min(2 * delay, 10)

    def _changed(self) -> Iterator[Path]:
        for path in sorted(path for pattern in PATTERNS for path in Path().glob(pattern)):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if self._seen.get(path) != state:
                self._seen[path] = state
                yield path

    def _deliver_file(self, path: Path) -> None:
        events_of: dict[str, list[dict[str, Any]]] = {}
        held = is_open(path)
        for event in read_events(path):
            events_of.setdefault(event["record"], []).append(event)
        ended = [self._deliver_run(events, held) for events in events_of.values() if events[0]["event"] == "start"]
        if all(ended):
            self._unfinished.discard(path)
            if path.parent == FAILED:
                path.unlink()
        else:
            self._unfinished.add(path)

    def _deliver_run(self, events: list[dict[str, Any]], held: bool) -> bool:
        """Delivers the events of one run that are new; returns whether the run has ended."""
        start = events[0]
        self._rebuild(start["experiment"])
        entry = self._ledger.entries.get(start["record"])
        if entry is None:
            entry = self._open(start)
        if entry.ended:
            return True
        fresh = events[max(entry.n_events, 1) :]
        self._store.log_metrics(entry.run_id, [event for event in fresh if event["event"] == "metrics"])
        for event in fresh:
            if event["event"] == "artifact":
                self._store.log_artifact(entry.run_id, event)
        last = events[-1]
        if last["event"] == "end":
            self._store.end_run(entry.run_id, last["status"], last["time"], last["error"])
        elif not held:
            self._store.end_run(entry.run_id, "KILLED")
        entry.n_events, entry.ended = len(events), last["event"] == "end" or not held
        if fresh or entry.ended:
            self._ledger.note(entry)
        return entry.ended

    def _open(self, start: Mapping[str, Any]) -> Delivered:
        former = self._ledger.entries.get(self._ledger.latest.get(start["key"], ""))
        parents = [self._ledger.latest[key] for key in start["parents"] if key in self._ledger.latest]
        run_id = self._store.open_run(start, [self._ledger.entries[parent].run_id for parent in parents])
        entry = Delivered(start["record"], start["key"], run_id, n_events=1)
        self._ledger.note(entry)
        self.n_delivered += 1
        if former is not None:
            self._store.supersede(former.run_id)
            if not former.ended:
                self._kill(former)
        return entry

    def _kill(self, entry: Delivered) -> None:
        self._store.end_run(entry.run_id, "KILLED")
        entry.ended = True
        # The latest run of a key is the one that replaced it, so the former is only amended, not noted as latest.
        latest = self._ledger.latest[entry.key]
        self._ledger.note(entry)
        if latest != entry.record:
            self._ledger.note(self._ledger.entries[latest])

    def _end_lost_runs(self) -> bool:
        """Ends runs whose record file is gone, as a killed job's is when it runs again under another plan."""
        present = {event["record"] for path in self._unfinished if path.exists() for event in read_events(path)}
        try:
            for entry in [entry for entry in self._ledger.entries.values() if not entry.ended]:
                if entry.record not in present:
                    self._kill(entry)
            self._store.close_parents()
        except self._unreachable:
            return False
        return True

    def _rebuild(self, experiment: str) -> None:
        """Where the ledger was lost, learns from the store which records it holds."""
        if experiment in self._rebuilt:
            return
        if not any(entry.key.startswith(f"{experiment}/") for entry in self._ledger.entries.values()):
            known = sorted(self._store.known_runs(experiment), key=lambda run: run.get("superseded") != "true")
            for run in known:
                ended = run["status"] != "RUNNING"
                self._ledger.note(Delivered(run["record"], run["key"], run["run_id"], 1, ended))
        self._rebuilt.add(experiment)
