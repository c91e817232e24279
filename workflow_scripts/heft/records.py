"""Writes what a stage did as events beside its outputs; one delivery process turns them into MLflow runs (delivery.py).

A record is a file of JSON lines. Each line is one event of one run: `start`, `metrics`, `artifact`, `end`. Stages thus
import no mlflow and never wait for a tracker. While a run is open its writer holds a shared flock on the file: a run
without an `end` whose file nobody holds was killed.
"""

import fcntl
import json
import math
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from heft.artifacts import sha256_of_file
from heft.comparison import DESCRIPTION

FAILED = Path(
    ".heft/failed"
)  # Snakemake deletes what a failed job wrote: its record is kept here until it is delivered


@dataclass(frozen=True)
class Dataset:
    """The input data of a run: name, digest (hexadecimal) and where they come from."""

    name: str
    digest: str
    source: str = ""


@dataclass(frozen=True)
class Run:
    """What a run is, before it has measured anything.

    parameters: plain values, nested dicts become dotted names, None is left out. parents: keys (`run_key`) of the runs
    that it was computed from. tags: text; `commit_tags()` and the code fingerprint belong here.
    """

    experiment: str
    stage: str
    seed: int | None = None
    variant: str = ""
    action: str = ""
    fraction: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parents: Sequence[str] = ()
    dataset: Dataset | None = None

    @property
    def key(self) -> str:
        """The run's key: the same for every execution of the same piece of work."""
        return run_key(self.experiment, self.seed, self.stage, self.variant, self.action, self.fraction)

    @property
    def name(self) -> str:
        """The name that the UI shows, e.g. `score ip__seeds__5` or `evaluate ip remove 0.05`."""
        return " ".join(part for part in (self.stage, self.variant, *_action_parts(self.action, self.fraction)) if part)

    def start_event(self, record: str) -> dict[str, Any]:
        """The event that opens the run; the parts of the key are repeated as parameters."""
        own = {name: getattr(self, name) for name in ("experiment", "seed", "stage", "variant", "action", "fraction")}
        keys = {name: value for name, value in own.items() if value not in ("", None)}
        return {
            "event": "start",
            "record": record,
            "key": self.key,
            "name": self.name,
            **own,
            "parameters": keys | _flat(self.parameters),
            "tags": {**commit_tags(), **self.tags},
            "parents": list(self.parents),
            "dataset": asdict(self.dataset) if self.dataset else None,
            "time": time.time(),
        }


def run_key(
    experiment: str, seed: int | None, stage: str, variant: str = "", action: str = "", fraction: float | None = None
) -> str:
    """`{experiment}/seed{seed}/{stage}/{variant}/{action}/{fraction}` without the parts that do not apply."""
    place = [experiment] if seed is None else [experiment, f"seed{seed}"]
    return "/".join([*place, *(part for part in (stage, variant, *_action_parts(action, fraction)) if part)])


class RunRecord:
    """One open run: a context manager that writes its `end`, FINISHED or FAILED, when the block is left."""

    def __init__(self, path: Path, run: Run) -> None:
        self.path = path
        self.id = uuid.uuid4().hex
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = _open_for_append(path)
        with suppress(OSError):  # a file system without locks: the delivery then waits for the end of the whole run
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        _write(self._descriptor, [run.start_event(self.id)])

    @classmethod
    def start(cls, path: str | Path, experiment: str, stage: str, **run: Any) -> Self:
        """Opens a run in the record at `path`; `run` are the fields of `Run`."""
        return cls(Path(path), Run(experiment, stage, **run))

    def metrics(self, values: Mapping[str, Any], step: int = 0) -> None:
        """Appends metrics of a step; they reach the tracker while the run goes on. None is left out."""
        _write(self._descriptor, [_metrics_event(self.id, values, step)])

    def artifact(self, path: str | Path) -> None:
        """Names a finished file: a small one is copied to the tracker, a large one noted as path and SHA-256."""
        _write(self._descriptor, [_artifact_event(self.id, Path(path))])

    def end(self, status: str = "FINISHED", error: str = "") -> None:
        """Ends the run; `status` is FINISHED, FAILED or KILLED."""
        _write(
            self._descriptor,
            [{"event": "end", "record": self.id, "status": status, "error": error, "time": time.time()}],
        )
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        if status != "FINISHED":
            FAILED.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.path, FAILED / f"{self.id}.record.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.end()
        else:
            self.end("KILLED" if kind is KeyboardInterrupt else "FAILED", f"{kind.__name__}: {error}")


def append_finished(path: str | Path, runs: Iterable[tuple[Run, Mapping[str, Any]]]) -> None:
    """Appends many finished runs, each with its metrics, in one write."""
    path = Path(path)
    events: list[dict[str, Any]] = []
    for run, values in runs:
        start = run.start_event(uuid.uuid4().hex)
        end = {"event": "end", "record": start["record"], "status": "FINISHED", "error": "", "time": time.time()}
        events += [start, _metrics_event(start["record"], values, 0), end]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open_for_append(path)
    try:
        _write(descriptor, events)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_comparison(path: str | Path, rows: Iterable[Mapping[str, Any]], stage: str = "evaluate", **run: Any) -> None:
    """Appends one finished run per row of the comparison table.

    The row's key columns become parameters, every column that is a number becomes a metric (`chosen` 1 or 0); `run` are
    further fields of `Run` (parents, dataset, tags, parameters).
    """
    further = dict(run.pop("parameters", {}))
    append_finished(
        path,
        [
            (
                Run(
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


def read_events(path: str | Path) -> list[dict[str, Any]]:
    """All whole events of a record; a line that a killed writer left unfinished is passed over."""
    events = []
    for line in Path(path).read_bytes().split(b"\n")[:-1]:
        with suppress(ValueError):
            events.append(json.loads(line))
    return events


def is_open(path: str | Path) -> bool:
    """Whether a live process holds the record (true where the file system cannot tell)."""
    with Path(path).open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@cache
def commit_tags() -> dict[str, str]:
    """MLflow's tags for the commit that this file belongs to, and whether it was changed since; empty without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with suppress(OSError):
        answer = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        commit, _, dirty = answer.stdout.strip().partition("-")
        if commit:
            return {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": str(bool(dirty)).lower()}
    return {}


def _action_parts(action: str, fraction: float | None) -> list[str]:
    return [action, "" if fraction is None else f"{fraction:g}"] if action else []


def _metrics_event(record: str, values: Mapping[str, Any], step: int) -> dict[str, Any]:
    numbers = {name: float(value) for name, value in values.items() if value is not None and value != ""}
    strict = {name: value if math.isfinite(value) else str(value) for name, value in numbers.items()}  # JSON has no NaN
    return {"event": "metrics", "record": record, "step": int(step), "values": strict, "time": time.time()}


def _artifact_event(record: str, path: Path) -> dict[str, Any]:
    facts = {"path": path.as_posix(), "size": path.stat().st_size, "sha256": sha256_of_file(path)}
    return {"event": "artifact", "record": record, **facts, "time": time.time()}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[f"{prefix}{name}"] = value
    return flat


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) and value is not None and not math.isnan(float(value))


def _open_for_append(path: Path) -> int:
    """Opens a record; where a killed writer left half a line, that line is closed first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")
    return descriptor


def _write(descriptor: int, events: Iterable[Mapping[str, Any]]) -> None:
    """Appends events in one write, so that lines of processes that share the file never mix."""
    text = "".join(json.dumps(event, ensure_ascii=False, allow_nan=False, default=_plain) + "\n" for event in events)
    remaining = memoryview(text.encode("utf-8"))
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, everything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
