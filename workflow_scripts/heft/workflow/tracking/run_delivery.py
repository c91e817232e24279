"""Turns the events of one record into its run in the store, whose tags tell what it holds already.

Nothing is kept on this side: after a kill, a delivery reads from the store how far it came. Logging an event twice
changes nothing.
"""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from heft.faults import is_disk_full
from heft.workflow.tracking.records import former_key

Event = Mapping[str, Any]


class RunStore(Protocol):
    """What a tracker does for one project; `heft.workflow.tracking.mlflow_store.Tracker` is one."""

    def denies(self, error: Exception) -> bool: ...
    def reachable(self) -> bool: ...
    def known_runs(self, experiment: str) -> Iterable[Mapping[str, str]]: ...
    def older_records(self, experiment: str) -> Iterable[str]: ...
    def running_runs(self) -> Iterable[Mapping[str, str]]: ...
    def find_run(self, experiment: str, record: str) -> str | None: ...
    def create_run(self, start: Event, file: str, computed_from_runs: Iterable[str]) -> str: ...
    def log(self, run_id: str, events: Iterable[Event]) -> None: ...
    def end_run(self, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None: ...
    def supersede(self, run_id: str) -> None: ...
    def close_parents(self) -> None: ...


@dataclass
class Delivered:
    """How far a record is delivered: its run, how many of its events, whether the run has ended.

    run_id is empty where the store was asked for a run, and its answer did not come.
    """

    record: str
    key: str
    file: str
    run_id: str = ""
    n_events: int = 0
    ended: bool = False


class RunDelivery:
    """Delivers runs of records to a store, and marks those that they replace."""

    def __init__(self, store: RunStore, errors: tuple[type[Exception], ...]) -> None:
        self._store, self._errors = store, errors
        self._entries: dict[str, Delivered] = {}  # by record
        self._latest: dict[str, Delivered] = {}  # by key, those that nothing replaced
        self._older: set[str] = set()  # delivered before projects had identities
        self._known: set[str] = set()
        self.n_opened = 0

    def deliver(self, events: Sequence[Event], path: Path, held: bool) -> bool:
        """Delivers the events of one run that are new; returns whether the run has ended.

        held: whether a live process writes the record. If none does, a run without an end was KILLED.
        """
        start, last = events[0], events[-1]
        self._learn(start["experiment"])
        if start["record"] in self._older:
            return True
        entry = self._entries.get(start["record"])
        if entry is None or not entry.run_id:
            entry = self._open(start, path, asked_before=entry is not None)
        if entry.n_events >= len(events) and (entry.ended or held):
            return entry.ended
        self._store.log(entry.run_id, events[entry.n_events :])
        ended_at = max(start["time"], last["time"])  # the clock may have been set back in between
        if last["event"] == "end":
            self._store.end_run(entry.run_id, last["status"], ended_at, last["error"])
        elif not held:
            self._store.end_run(entry.run_id, "KILLED", ended_at)
        entry.n_events, entry.ended = len(events), last["event"] == "end" or not held
        return entry.ended

    def supersede_others(self, path: Path, records: Collection[str]) -> None:
        """Marks the runs of a record file that it does not hold any more: their keys have left the plan."""
        for entry in [entry for entry in self._latest.values() if entry.file == path.as_posix()]:
            if entry.record not in records:
                self._supersede(entry)

    def end_lost_runs(self, refused: Collection[str]) -> None:
        """Ends runs whose record is gone, and those of jobs that live on after the time for them is over.

        What such a job still notes is delivered the next time. refused: files that the store does not take.
        """
        for run in list(self._store.running_runs()):
            if run.get("record_file", "") not in refused:
                self._store.end_run(run["run_id"], "KILLED")
                if run["record"] in self._entries:
                    self._entries[run["record"]].ended = True
        self._store.close_parents()

    def _learn(self, experiment: str) -> None:
        """Asks the store once what it holds of an experiment."""
        if experiment in self._known:
            return
        for run in self._store.known_runs(experiment):
            # A run that a stage ended has everything; the others get all their events again, which changes nothing.
            ended = run["status"] in ("FINISHED", "FAILED")
            entry = Delivered(run["record"], run["key"], run.get("record_file", ""), run["run_id"])
            entry.n_events, entry.ended = sys.maxsize if ended else 0, ended
            self._entries[entry.record] = entry
            if run["superseded"] != "true":
                self._latest[entry.key] = entry
        self._older |= set(self._store.older_records(experiment)) - set(self._entries)
        self._known.add(experiment)

    def _open(self, start: Event, path: Path, asked_before: bool) -> Delivered:
        """The record's run; one that the store was asked for before is looked for first."""
        for key in {start["key"], former_key(start["key"], start["stage"])}:
            former = self._latest.get(key)
            if former is not None and former.record != start["record"]:
                self._supersede(former)
        entry = Delivered(start["record"], start["key"], path.as_posix())
        self._entries[entry.record] = entry
        parents = [self._latest[key].run_id for key in start["parents"] if key in self._latest]
        stored = self._store.find_run(start["experiment"], start["record"]) if asked_before else None
        entry.run_id = stored or self._store.create_run(start, entry.file, [parent for parent in parents if parent])
        self._latest[entry.key] = entry
        self.n_opened += 1
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
        entry.ended = True
        self._latest.pop(entry.key, None)
