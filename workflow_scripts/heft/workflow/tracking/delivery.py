"""Delivers the records of this folder to a store, each event once, whatever is killed or down in between."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from heft.faults import is_disk_full
from heft.workflow.places import FAILED
from heft.workflow.tracking.delivered import DeliveredNote, State, file_state, record_files
from heft.workflow.tracking.records import is_open, read_deliverable
from heft.workflow.tracking.run_delivery import RunDelivery, RunStore

PATIENCE_SECONDS = 15.0  # with a store that does not answer, at the end of a run


class Delivery:
    """Delivers records to a store; safe to repeat, and to start again after a kill.

    errors: what the store may raise. say: takes a sentence for a person about a line that is no event, once a line.
    """

    def __init__(
        self,
        store: RunStore,
        note: DeliveredNote,
        errors: tuple[type[Exception], ...],
        say: Callable[[str], None] = print,
    ) -> None:
        self._store, self._note, self._errors, self._say = store, note, errors, say
        self._runs = RunDelivery(store, errors)
        self._seen: dict[Path, State] = {}
        self._open_files: set[Path] = set()
        self.refused: dict[Path, Exception] = {}
        self.failure: Exception | None = None

    @property
    def n_delivered(self) -> int:
        """How many runs were opened."""
        return self._runs.n_opened

    def poll(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Delivers what is new until `stop()`; returns False where something was left.

        A record that a reachable store refuses is put aside (`refused`) and holds up no other. What keeps the store
        from all of them, such as a server that is down, is the `failure`.
        """
        self.failure = None
        for path, state in self._changed():
            if stop() or not self._deliver_or_refuse(path, state):
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

    def _changed(self) -> Iterator[tuple[Path, State]]:
        """Record files that changed since they were read, oldest first, so that a run follows those it comes from."""
        states = {path: state for path in record_files() if (state := file_state(path))}
        for path, state in sorted(states.items(), key=lambda file: file[1]):
            if self._seen.get(path) != state:
                self._seen[path] = state
                yield path, state

    def _deliver_or_refuse(self, path: Path, state: State) -> bool:
        self.refused.pop(path, None)
        try:
            self._deliver_file(path, state)
        except self._errors as error:
            if is_disk_full(error) or not self._store.reachable():
                self.failure = error
                return False
            self.refused[path] = error
        return True

    def _deliver_file(self, path: Path, state: State) -> None:
        try:
            held, (events, faults) = is_open(path), read_deliverable(path)
        except FileNotFoundError:  # its stage runs again
            return
        for line, fault in faults.items():
            if self._note.first_to_say(f"{path}:{line}"):
                self._say(f"{path}, line {line}, is left out: {fault}; everything else of that record is delivered.")
        by_record: dict[str, list[Mapping[str, Any]]] = {}
        for event in events:
            by_record.setdefault(event["record"], []).append(event)
        whole = [of_run for of_run in by_record.values() if of_run[0]["event"] == "start"]
        ended = [self._runs.deliver(of_run, path, held) for of_run in whole]
        self._runs.supersede_others(path, by_record)
        if not all(ended):
            self._open_files.add(path)
            return
        self._open_files.discard(path)
        if path.parent == FAILED:
            path.unlink()
        else:
            self._note.delivered(path, state)

    def _end_lost_runs(self) -> bool:
        try:
            self._runs.end_lost_runs({path.as_posix() for path in self.refused})
        except self._errors as error:
            self.failure = error
            return False
        return True
