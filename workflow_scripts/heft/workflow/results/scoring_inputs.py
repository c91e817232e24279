"""Reads back everything that was trained for a seed, for scoring."""

from pathlib import Path
from typing import Any

from heft.artifacts import read_parquet
from heft.auxiliary.folds import draw_folds
from heft.data.examples import Examples
from heft.ensembles.members import TrainedModels
from heft.methods.context import Dynamics
from heft.training.checkpoints import Checkpoints, load_checkpoints
from heft.training.dynamics import dynamics_of_run


def load_trained(files: Any, train: Examples, seed: int) -> TrainedModels:
    """From the inputs of a `score_members` job: `checkpoints`, and what there is of seeds, folds, subsets, fine_tunes
    and dynamics.

    Raises HeftError where a state is not what its checkpoints.json says.
    """
    runs = load_checkpoints(Path(files.checkpoints).parent, *folders_of(files.seeds)).runs
    folds, fine_tunes = by_member(files.folds), by_member(files.fine_tunes)
    tables = [read_parquet(file) for file in files.dynamics]
    return TrainedModels(
        runs=runs,
        folds={member: [found.runs[fold] for fold in sorted(found.runs)] for member, found in folds.items()},
        fold_of={member: draw_folds(train.labels, seed, member) for member in folds},
        subsets=load_checkpoints(*folders_of(files.subsets)).runs if files.subsets else {},
        fine_tuned={member: found.runs[member] for member, found in fine_tunes.items()},
        dynamics={
            int(run): Dynamics(*dynamics_of_run(table, run, train.ids))
            for table in tables
            for run in table["run"].unique()
        },
    )


def by_member(files: list[str]) -> dict[int, Checkpoints]:
    """The checkpoints of each group's folder, by its number, which is the member's."""
    return {int(folder.name.removeprefix("group")): load_checkpoints(folder) for folder in folders_of(files)}


def folders_of(files: list[str]) -> list[Path]:
    """The folders of some files, each once."""
    return list(dict.fromkeys(Path(file).parent for file in files))
