"""Writes what a stage does: one open run whose events are read while it goes on, or many finished ones at once."""

import fcntl
import math
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from heft.evaluation.columns import DESCRIPTION
from heft.workflow.places import FAILED
from heft.workflow.tracking.records.events import (
    append_events,
    artifact_event,
    end_event,
    metrics_event,
    open_for_append,
)
from heft.workflow.tracking.records.run import RecordedRun


class RunRecord:
    """One open run: a context manager that writes its `end`, FINISHED or FAILED, when the block is left.

    Every write raises OSError, which names the record's file, where the disk is full or may not be written.
    """

    def __init__(self, path: Path, run: RecordedRun) -> None:
        self.path = path
        self.id = uuid.uuid4().hex
        self._descriptor = open_for_append(path)
        with suppress(OSError):  # a file system without locks: the delivery then waits for the end of the whole run
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        self._append(run.start_event(self.id))

    @classmethod
    def start(cls, path: str | Path, experiment: str, stage: str, **run: Any) -> Self:
        """Opens a run in the record at `path`; `run` are the fields of `RecordedRun`."""
        return cls(Path(path), RecordedRun(experiment, stage, **run))

    def metrics(self, values: Mapping[str, Any], step: int = 0) -> None:
        """Appends metrics of a step; they reach the tracker while the run goes on. None is left out."""
        self._append(metrics_event(self.id, values, step))

    def artifact(self, path: str | Path, *, private: bool = False, shared: str | Path | None = None) -> None:
        """Names a finished file: a small one is copied to the tracker, a large one noted as path and SHA-256.

        private: it shows a person's own examples, or names them; a store that may lie on another machine gets `shared`
        in its place, or nothing.
        """
        self._append(artifact_event(self.id, Path(path), private=private, shared=Path(shared) if shared else None))

    def end(self, status: str = "FINISHED", error: str = "") -> None:
        """Ends the run; `status` is FINISHED, FAILED or KILLED."""
        try:
            self._append(end_event(self.id, status, error))
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)
        if status != "FINISHED":
            FAILED.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.path, FAILED / f"{self.id}.record.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.end()
            return
        with suppress(OSError):  # a full disk keeps this too from being noted; what the person must read is `error`
            self.end("KILLED" if kind is KeyboardInterrupt else "FAILED", f"{kind.__name__}: {error}")

    def _append(self, event: Mapping[str, Any]) -> None:
        append_events(self._descriptor, self.path, [event])


def append_finished(path: str | Path, runs: Iterable[tuple[RecordedRun, Mapping[str, Any]]]) -> None:
    """Appends many finished runs, each with its metrics, in one write."""
    path = Path(path)
    events: list[dict[str, Any]] = []
    for run, values in runs:
        start = run.start_event(uuid.uuid4().hex)
        events += [start, metrics_event(start["record"], values, 0), end_event(start["record"])]
    descriptor = open_for_append(path)
    try:
        append_events(descriptor, path, events)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_comparison(path: str | Path, rows: Iterable[Mapping[str, Any]], stage: str = "evaluate", **run: Any) -> None:
    """Appends one finished run per row of the comparison table.

    The row's key columns become parameters, every column that is a number becomes a metric (`chosen` 1 or 0); `run` are
    further fields of `RecordedRun` (parents, dataset, tags, parameters).
    """
    further = dict(run.pop("parameters", {}))
    append_finished(
        path,
        [
            (
                RecordedRun(
                    row["experiment"],
                    stage,
                    seed=int(row["seed"]),
                    variant=row["variant"],
                    action=row["action"] or "",
                    fraction=float(row["fraction"]),
                    parameters=further | {name: row[name] for name in DESCRIPTION if row.get(name) not in ("", None)},
                    **run,
                ),
                {name: value for name, value in row.items() if name != "seed" and _is_number(value)},
            )
            for row in rows
        ],
    )


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) and value is not None and not math.isnan(float(value))
