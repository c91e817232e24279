"""The events of a record, as lines of its file: appended whole, read back without what a kill or a full disk cut."""

import fcntl
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from heft.artifacts import sha256_of_file
from heft.workflow.tracking.records.checking import event_of, fault_of


def metrics_event(record: str, values: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Metrics of a step; None and empty text are left out."""
    numbers = {name: float(value) for name, value in values.items() if value is not None and value != ""}
    strict = {name: value if math.isfinite(value) else str(value) for name, value in numbers.items()}  # JSON has no NaN
    return {"event": "metrics", "record": record, "step": int(step), "values": strict, "time": time.time()}


def artifact_event(record: str, path: Path, *, private: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """A finished file, by path, size and SHA-256.

    private: it stays on this machine. shared: what goes elsewhere in the place of a private file.
    """
    facts: dict[str, Any] = {"path": path.as_posix(), "size": path.stat().st_size, "sha256": sha256_of_file(path)}
    if private:
        facts |= {"private": True, "shared": shared.as_posix() if shared else ""}
    return {"event": "artifact", "record": record, **facts, "time": time.time()}


def end_event(record: str, status: str = "FINISHED", error: str = "") -> dict[str, Any]:
    """The end of a run."""
    return {"event": "end", "record": record, "status": status, "error": error, "time": time.time()}


def open_for_append(path: Path) -> int:
    """Opens a record, made where it is not there; returns its descriptor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def append_events(descriptor: int, path: Path, events: Iterable[Mapping[str, Any]]) -> None:
    """Appends events in one write, so that lines of processes that share the file never mix; OSError names `path`.

    Where a killed writer or a full disk left half a line, that line is closed first.
    """
    text = "".join(json.dumps(event, ensure_ascii=False, allow_nan=False, default=_plain) + "\n" for event in events)
    size = os.fstat(descriptor).st_size
    cut = size and os.pread(descriptor, 1, size - 1) != b"\n"
    remaining = memoryview((b"\n" if cut else b"") + text.encode("utf-8"))
    try:
        while remaining:
            remaining = remaining[os.write(descriptor, remaining) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def read_events(path: str | Path) -> list[dict[str, Any]]:
    """All whole events of a record; a line that was left unfinished, or is no event, is passed over."""
    return [event for _, (event, _) in _lines(path) if event is not None]


def read_deliverable(path: str | Path) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The events that can be delivered, and {number of a line: why it cannot}."""
    events, faults = [], {}
    for number, (event, fault) in _lines(path):
        if event is not None:
            fault = fault_of(event)
        if fault:
            faults[number] = fault
        elif event is not None:
            events.append(event)
    return events, faults


def _lines(path: str | Path) -> Iterator[tuple[int, tuple[dict[str, Any] | None, str]]]:
    """Number of each ended line that is not empty, and what it holds."""
    for number, line in enumerate(Path(path).read_bytes().split(b"\n")[:-1], start=1):
        if line:
            yield number, event_of(line)


def is_open(path: str | Path) -> bool:
    """Whether a live process holds the record (true where the file system cannot tell)."""
    with Path(path).open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, everything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
