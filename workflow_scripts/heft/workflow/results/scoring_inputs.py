"""Reads back everything that was trained for a seed, for scoring."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heft.artifacts import read_parquet
from heft.auxiliary.asked import models_each
from heft.auxiliary.kinds import kind_named
from heft.data.examples import Examples
from heft.ensembles.kinds import runs_of
from heft.ensembles.members import AuxiliaryRun, TrainedModels
from heft.methods.context import Dynamics
from heft.registry import find
from heft.training.checkpoints import load_checkpoints
from heft.training.dynamics import dynamics_of_run
from heft.workflow.planning.paths import kind_of


def load_trained(files: Any, scorer: Mapping[str, Any], train: Examples, seed: int) -> TrainedModels:
    """From the inputs of a `score_members` job: `checkpoints`, and what there is of `auxiliary` and `dynamics`.

    scorer: `method` and `options` say how many further models a member has; `ensemble` says of which kind the members
    are. Raises HeftError where a state is not what its checkpoints.json says.
    """
    method, kind_of_members = find("methods", scorer["method"]), runs_of(scorer["ensemble"])
    runs = load_checkpoints(Path(files.checkpoints).parent).runs
    auxiliary: dict[str, dict[int, list[AuxiliaryRun]]] = {}
    for name, folders in folders_by_kind(files.auxiliary).items():
        further, kind = load_checkpoints(*folders).runs, kind_named(name)
        if name == kind_of_members:
            runs = further | runs  # number 0 stays the trained model
            if kind.need not in method.fields["needs"]:
                continue
        each, of_kind = models_each(kind, method, scorer["options"]), find("auxiliary", name).load()()
        members = auxiliary.setdefault(kind.need, {})
        for number, run in sorted(further.items()):
            held_out = of_kind.held_out_of(train, seed, number)
            members.setdefault(number // each, []).append(AuxiliaryRun(run, held_out))
    return TrainedModels(runs, auxiliary, _dynamics(files.dynamics, train))


def given_for(ids: np.ndarray, files: Iterable[str]) -> Tensor | None:
    """Given probabilities float64 [n, n_classes] of these ids, of the first file of the rule `out_of_fold`, if any."""
    file = next(iter(files), None)
    return None if file is None else torch.from_numpy(read_parquet(file).set_index("id").loc[ids].to_numpy())


def folders_by_kind(files: Iterable[str]) -> dict[str, list[Path]]:
    """The folders of files of further trained models by their kind, each once."""
    folders: dict[str, list[Path]] = {}
    for folder in dict.fromkeys(Path(file).parent for file in files):
        folders.setdefault(kind_of(folder), []).append(folder)
    return folders


def _dynamics(files: Iterable[str], train: Examples) -> dict[int, Dynamics]:
    tables = [read_parquet(file) for file in files]
    return {
        int(run): Dynamics(*dynamics_of_run(table, run, train.ids)) for table in tables for run in table["run"].unique()
    }
