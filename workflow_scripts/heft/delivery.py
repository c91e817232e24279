"""Turns records into runs of the tracker, each event once, whatever is killed or down in between."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from heft.faults import is_disk_full
from heft.ledger import Delivered, Ledger
from heft.records import FAILED, is_open, read_events

STATE = Path(".heft")
RESULTS = Path("results")
PATIENCE_SECONDS = 15.0  # with a store that does not answer, at the end of a run


class RunStore(Protocol):
    """What a tracker does; `heft.tracking.Tracker` is one."""

    def denies(self, error: Exception) -> bool: ...
    def reachable(self) -> bool: ...
    def identity(self, experiment: str) -> str: ...
    def known_runs(self, experiment: str) -> Iterable[Mapping[str, str]]: ...
    def find_run(self, experiment: str, record: str) -> str | None: ...
    def create_run(self, start: Mapping[str, Any], file: str, computed_from_runs: Iterable[str]) -> str: ...
    def log(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None: ...
    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None: ...
    def supersede(self, run_id: str) -> None: ...
    def close_parents(self) -> None: ...


class Delivery:
    """Delivers the records of this folder to a store; safe to repeat, and to start again after a kill."""

    def __init__(self, store: RunStore, ledger: Ledger, errors: tuple[type[Exception], ...]) -> None:
        self._store, self._ledger, self._errors = store, ledger, errors
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._open_files: set[Path] = set()
        self._known: set[str] = set()
        self.refused: dict[Path, Exception] = {}
        self.failure: Exception | None = None
        self.n_delivered = 0

    def poll(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Delivers what is new until `stop()`; returns False where something was left.

        A record that a reachable store refuses is put aside (`refused`) and holds up no other. What keeps the store
        from all of them, such as a server that is down, is the `failure`.
        """
        self.failure = None
        for path in self._changed():
            if stop() or not self._deliver_or_refuse(path):
                self._seen.pop(path, None)
                return False
        return True

    def drain(self, seconds: float, wait: Callable[[float], None] = time.sleep) -> int:
        """Delivers all there is, for at most `seconds`; returns how many record files still wait.

        A full disk and a store that denies access are not waited for, one that does not answer for a short while; jobs
        that outlive a killed run are. Then a run without an end is KILLED: for good where nobody
        writes its record any more; else what its job still notes is delivered the next time.
        """
        end = time.monotonic() + seconds
        delay, answered = 0.5, time.monotonic()
        self._retry(self.refused)
        while True:
            self._open_files = {path for path in self._open_files if path.exists()}
            self._retry(self._open_files)
            late = time.monotonic() + delay > end
            if self.poll(lambda: time.monotonic() > end) and (late or not self._open_files) and self._end_lost_runs():
                return len(self.refused)
            if self.failure is None:
                answered = time.monotonic()
            if late or self._is_hopeless() or time.monotonic() + delay > answered + PATIENCE_SECONDS:
                return len(self.refused) + len(list(self._changed()))
            wait(delay)
            delay = min(2 * delay, 10)

    def _is_hopeless(self) -> bool:
        """Whether the store will not take anything before a person does something."""
        return self.failure is not None and (is_disk_full(self.failure) or self._store.denies(self.failure))

    def _retry(self, paths: Iterable[Path]) -> None:
        for path in list(paths):
            self._seen.pop(path, None)

    def _changed(self) -> Iterator[Path]:
        """Record files that changed since they were read, oldest first, so that a run follows those it comes from."""
        states: dict[Path, tuple[int, int, int]] = {}
        for path in _record_files():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            states[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        for path in sorted(states, key=lambda path: states[path]):
            if self._seen.get(path) != states[path]:
                self._seen[path] = states[path]
                yield path

    def _deliver_or_refuse(self, path: Path) -> bool:
        self.refused.pop(path, None)
        try:
            self._deliver_file(path)
        except self._errors as error:
            if is_disk_full(error) or not self._store.reachable():
                self.failure = error
                return False
            self.refused[path] = error
        return True

    def _deliver_file(self, path: Path) -> None:
        try:
            held, all_events = is_open(path), read_events(path)
        except FileNotFoundError:  # its stage runs again
            return
        events_of: dict[str, list[dict[str, Any]]] = {}
        for event in all_events:
            events_of.setdefault(event["record"], []).append(event)
        whole = [events for events in events_of.values() if events[0]["event"] == "start"]
        ended = [self._deliver_run(events, path, held) for events in whole]
        for entry in [entry for entry in self._ledger.latest.values() if entry.file == path.as_posix()]:
            if entry.record not in events_of:  # its key is no longer in the plan
                self._supersede(entry)
        if all(ended):
            self._open_files.discard(path)
            if path.parent == FAILED:
                path.unlink()
        else:
            self._open_files.add(path)

    def _deliver_run(self, events: list[dict[str, Any]], path: Path, held: bool) -> bool:
        """Delivers the events of one run that are new; returns whether the run has ended."""
        start, last = events[0], events[-1]
        self._compare_with_store(start["experiment"])
        entry = self._ledger.entries.get(start["record"])
        if entry is None or not entry.run_id:
            entry = self._open(start, path, resumed=entry is not None)
        if entry.n_events >= len(events) and (entry.ended or held):
            return entry.ended
        self._store.log(entry.run_id, events[entry.n_events :])
        ended_at = max(start["time"], last["time"])  # the clock may have been set back in between
        if last["event"] == "end":
            self._store.end_run(entry.run_id, last["status"], ended_at, last["error"])
        elif not held:
            self._store.end_run(entry.run_id, "KILLED", ended_at)
        entry.n_events, entry.ended = len(events), last["event"] == "end" or not held
        self._ledger.note(entry)
        return entry.ended

    def _open(self, start: Mapping[str, Any], path: Path, resumed: bool) -> Delivered:
        """The record's run. The intention is noted first: a run that a kill kept from being noted is found again."""
        former = self._ledger.latest.get(start["key"])
        if former is not None and former.record != start["record"]:
            self._supersede(former)
        entry = Delivered(start["record"], start["key"], file=path.as_posix())
        self._ledger.note(entry)
        parents = [self._ledger.latest[key].run_id for key in start["parents"] if key in self._ledger.latest]
        found = self._store.find_run(start["experiment"], start["record"]) if resumed else None
        entry.run_id = found or self._store.create_run(start, entry.file, [parent for parent in parents if parent])
        self._ledger.note(entry)
        self.n_delivered += 1
        return entry

    def _supersede(self, entry: Delivered) -> None:
        """Marks a run as replaced; a run that a person deleted in the store needs no mark."""
        try:
            if entry.run_id and not entry.ended:
                self._store.end_run(entry.run_id, "KILLED")
            if entry.run_id:
                self._store.supersede(entry.run_id)
        except self._errors as error:
            if is_disk_full(error) or not self._store.reachable():
                raise
        entry.ended = entry.superseded = True
        self._ledger.note(entry)

    def _end_lost_runs(self) -> bool:
        """Ends runs whose record is gone, and those of jobs that live on after the time for them is over."""
        held = {event["record"] for path in self._open_files for event in read_events(path)}
        refused = {path.as_posix() for path in self.refused}
        try:
            for entry in [entry for entry in self._ledger.entries.values() if not entry.ended and entry.run_id]:
                if entry.file not in refused:
                    self._store.end_run(entry.run_id, "KILLED")
                if entry.record not in held and entry.file not in refused:
                    entry.ended = True
                    self._ledger.note(entry)
            self._store.close_parents()
        except self._errors as error:
            self.failure = error
            return False
        return True

    def _compare_with_store(self, experiment: str) -> None:
        """Where the ledger was lost, or is about a store that was replaced, learns from the store what it holds."""
        if experiment in self._known:
            return
        identity = self._store.identity(experiment)
        if self._ledger.stores.get(experiment) != identity:
            known = list(self._store.known_runs(experiment))
            self._ledger.note_store(experiment, "")
            for run in known:
                status, superseded = run["status"], run["superseded"] == "true"
                # A run that a stage ended has everything; the others get all their events again, which changes nothing.
                n_events = sys.maxsize if status in ("FINISHED", "FAILED") else 0
                entry = Delivered(run["record"], run["key"], run["run_id"], n_events, status != "RUNNING")
                self._ledger.note(replace(entry, file=run.get("record_file", ""), superseded=superseded))
            self._ledger.note_store(experiment, identity)
        self._known.add(experiment)


def _record_files() -> Iterator[Path]:
    for top in (RESULTS, FAILED):
        for folder, _, files in os.walk(top):
            for name in files:
                if name == "record.jsonl" or name.endswith(".record.jsonl"):
                    yield Path(folder, name)
