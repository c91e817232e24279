"""What a run is before it has measured anything, and the key that every execution of it shares."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from heft.variants import fraction_slug
from heft.workflow.identity import project_of
from heft.workflow.tracking.records.commit import commit_tags

# What a stage was called before: runs of the old name are replaced by those of the new one.
FORMER_STAGES = {"auxiliary": "members"}


@dataclass(frozen=True)
class Dataset:
    """The input data of a run: name, digest (hexadecimal) and where they come from."""

    name: str
    digest: str
    source: str = ""


@dataclass(frozen=True)
class RecordedRun:
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
        """The event that opens the run, with the id of the project; parts of the key are repeated as parameters."""
        own = {name: getattr(self, name) for name in ("experiment", "seed", "stage", "variant", "action", "fraction")}
        keys = {name: value for name, value in own.items() if value not in ("", None)}
        return {
            "event": "start",
            "record": record,
            "project": project_of(),
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


def former_key(key: str, stage: str) -> str:
    """The key that the same run had while its stage had another name; the key itself where it had none."""
    return key.replace(f"/{stage}/", f"/{FORMER_STAGES.get(stage, stage)}/", 1)


def _action_parts(action: str, fraction: float | None) -> list[str]:
    return [action, "" if fraction is None else fraction_slug(fraction)] if action else []


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[f"{prefix}{name}"] = value
    return flat
