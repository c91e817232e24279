"""Says before a run starts that the disk has not the space that its files will take, by arithmetic on the plan.

What an experiment has on disk already counts as taken. A source that does not declare its size, a model that cannot be
built, and a finished experiment are left out.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from heft.auxiliary.kinds import kind_named
from heft.errors import HeftError
from heft.faults import sentence_of
from heft.registry import find
from heft.workflow.planning import paths
from heft.workflow.planning.auxiliary import all_groups, kept
from heft.workflow.planning.plan import Plan

SCRIPT = Path(__file__).parents[3] / "model_size.py"
BYTES_A_VALUE = 40  # of a table, an example's id beside each value: seen 10 to 35
BYTES_A_RUN = 40_000  # of the tracking store: seen 13,000


def check_disk_space(plan: Plan, cores: int, folder: Path = Path()) -> None:
    """Raises HeftError where less is free than the unfinished experiments need, by name, and how to need less.

    Does nothing where the configuration says check_disk_space: false.
    """
    if not plan.configuration.check_disk_space:
        return
    sized = {name: data for name in unfinished(plan, folder) if (data := declared_size(plan, name))}
    sizes = model_bytes([_spec(plan, name, data) for name, data in sized.items()])
    state_bytes = {name: size for name, size in zip(sized, sizes, strict=True) if size is not None}
    missing = {
        name: max(
            0, needed_bytes(plan, name, sized[name], size, cores) - bytes_of(folder / paths.RESULTS.format(e=name))
        )
        for name, size in state_bytes.items()
    }
    needed, free = sum(missing.values()), shutil.disk_usage(folder).free
    if needed > free:
        each = ", ".join(f"{name} {_gigabytes(size)}" for name, size in missing.items())
        raise HeftError(
            f"Disk space: the files of this run take about {_gigabytes(needed)} ({each}), and "
            f"{_gigabytes(free)} are free in {folder.resolve()}; free some, run fewer seeds, methods or fractions, "
            "a smaller model, or set check_disk_space to false where the estimate is wrong."
        )


def unfinished(plan: Plan, folder: Path) -> list[str]:
    """Experiments that have no finished report."""
    return [name for name in plan.experiments if not (folder / paths.REPORT_RECORD.format(e=name)).is_file()]


def declared_size(plan: Plan, experiment: str) -> Mapping[str, Any] | None:
    """n, input_shape and n_classes of the experiment's source; None where it, or how wide features are, is not said."""
    if plan.experiments[experiment].encoder is not None:
        return None
    source = find("data/sources", plan.experiments[experiment].source[0])
    size: Mapping[str, Any] | None = source.fields.get("size")
    return size


def needed_bytes(plan: Plan, experiment: str, data: Mapping[str, Any], state_bytes: int, cores: int) -> int:
    """Bytes that all files of an experiment take at the worst moment; state_bytes: those of one model state."""
    settings = plan.experiments[experiment].settings
    per_seed = lasting_states(plan, experiment)
    # Temporary: all epochs of the trainings that go on, and the retrained models of as many variants.
    n_plans = plan.experiments[experiment].n_plans
    passing = cores * max(settings.training.epochs + 1, n_plans)
    train = settings.data.train
    n_train = train if isinstance(train, int) else round(train * data["n"]) if isinstance(train, float) else data["n"]
    values = len(settings.seeds) * n_train * _columns(plan, experiment)
    runs = len(settings.seeds) * len(plan.variants(experiment)) * (3 + n_plans)
    inputs = data["n"] * (4 * prod(data["input_shape"]) + 3 * BYTES_A_VALUE)
    states = (len(settings.seeds) * per_seed + passing) * state_bytes
    return inputs + states + values * BYTES_A_VALUE + runs * BYTES_A_RUN


def lasting_states(plan: Plan, experiment: str) -> int:
    """Model states that stay of each seed, at most."""
    resolved = plan.experiments[experiment]
    settings, epochs = resolved.settings, resolved.settings.training.epochs
    states = _kept(kept(resolved), settings.checkpoints, epochs)
    for kind, numbers in _further_models(plan, experiment).items():
        states += len(numbers) * _kept(kept(resolved, kind), settings.checkpoints, epochs)
    if plan.configuration.keep_retrained:
        states += len(plan.unscored(experiment))
        states += len(resolved.variants) * resolved.n_plans
    return states


def _further_models(plan: Plan, experiment: str) -> dict[str, list[int]]:
    """{kind: numbers} of the further models that are trained for each seed."""
    return {
        kind: [number for group in groups for number in kind_named(kind).numbers(group)]
        for kind, groups in all_groups(plan.experiments[experiment]).items()
    }


def model_bytes(specifications: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """Bytes of one state of each model, which another process builds: torch is not imported here.

    None where that process could not build a person's own model, were it that this took the process with it.
    """
    if not specifications:
        return []
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], input=json.dumps(specifications), text=True, capture_output=True
    )
    sizes: list[int | None] = json.loads(done.stdout) if done.stdout else []
    if sizes:
        return sizes
    if all(":" not in specification["name"] for specification in specifications):
        last = [f"the process that builds the models ended with status {done.returncode}", *done.stderr.split("\n")]
        said = next(line for line in reversed(last) if line.strip())
        raise HeftError(sentence_of(RuntimeError(said)) or said)
    if len(specifications) == 1:
        return [None]
    return [size for specification in specifications for size in model_bytes([specification])]


def bytes_of(folder: Path) -> int:
    """Size of all files below."""
    files = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(file).st_size for file in files)


def _spec(plan: Plan, experiment: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {**plan.model(experiment), "input_shape": data["input_shape"], "n_classes": data["n_classes"]}


def _kept(kept: Mapping[str, Any], checkpoints: Any, epochs: int) -> int:
    counts = {"final": 1, "best": 1, "last": 1, "spaced": checkpoints.spaced, "early": checkpoints.early}
    return min(epochs + 1, sum(counts.get(role, epochs) for role in kept["roles"]) + int(kept["latest"]))


def _columns(plan: Plan, experiment: str) -> int:
    """Values that tables hold of each training example of a seed."""
    resolved = plan.experiments[experiment]
    epochs = 3 * resolved.settings.training.epochs  # what is recorded of each epoch of a training
    trainings = 1 + sum(map(len, _further_models(plan, experiment).values()))
    scored = sum(size for _, size in resolved.scorers.values()) + len(resolved.variants)
    return epochs * trainings + scored + 2 * len(resolved.variants) * (1 + resolved.n_plans)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
