"""heft.score on the states that a run of the workflow left gives the run's own scores, bit for bit."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from workspace import Workspace

import heft
from heft.artifacts import read_parquet
from heft.auxiliary.kinds import kinds
from heft.data.examples import Examples, load_examples
from heft.registry import declarations
from heft.training.checkpoints import Checkpoints, load_checkpoints
from heft.training.dynamics import dynamics_of_run
from heft.training.settings import TrainingSettings

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::heft.HeftWarning")]

SEED = 3
OPTIONS: dict[str, dict[str, Any]] = {"trak": {"models": 2}, "if_cg": {"damping": 0.3}}
METHODS = sorted(declarations("methods"))
KINDS = ["parameter_dropout", "gaussian", "activation_dropout"]
SETTINGS = {
    "experiments": ["small"],
    "definitions": {
        "small": {
            "seeds": [SEED],
            "data": {"source": "digits", "train": 150, "validation": 60, "test": 60},
            "model": {"mlp": {"hidden": [12]}},
            "training": {"epochs": 4, "learning_rate": 0.1},
            "checkpoints": {"spaced": 2, "early": 2},
            "methods": [{name: OPTIONS[name]} if name in OPTIONS else name for name in METHODS],
            "baselines": [],
            "ensembles": [{"kind": kind, "sizes": [3], "methods": ["tracin"]} for kind in KINDS],
            "fractions": [0.1],
        }
    },
}


class Finished(NamedTuple):
    """The folder of a seed, its splits, and the trained model as a person would load it."""

    folder: Path
    train: Examples
    validation: Examples
    checkpoints: Checkpoints

    @property
    def model(self) -> nn.Module:
        """Built with other initial parameters, then given the final state."""
        model = self.checkpoints.model.build(seed=99)
        model.load_state_dict(self.checkpoints.runs[0].final.state)
        return model

    def passed(self) -> dict[str, Any]:
        """All that any method needs, from the run's files."""
        run = self.checkpoints.runs[0]
        return {
            "train": (self.train.inputs, self.train.labels),
            "validation": (self.validation.inputs, self.validation.labels),
            "true_labels": self.train.true_labels,
            "dynamics": dynamics_of_run(
                read_parquet(self.folder / "train/training_dynamics.parquet"), 0, self.train.ids
            ),
            **{kind.need: self.further(name) for name, kind in kinds().items() if kind.need},
            "seed": SEED,
            "weight_decay": TrainingSettings().weight_decay,
            "checkpoints": [(saved.state, saved.learning_rate) for saved in run.role("spaced")],
        }

    def further(self, name: str) -> list[Any]:
        """The models of a kind, with what each was trained without."""
        runs = load_checkpoints(*sorted((self.folder / "auxiliary" / name).iterdir())).runs
        kind = declarations("auxiliary")[name].load()()
        n = OPTIONS["trak"]["models"] if name == "subsets" else len(runs)
        return [(runs[number].final.state, kind.held_out_of(self.train, SEED, number)) for number in sorted(runs)[:n]]

    def scores(self, scorer: str) -> pd.DataFrame:
        """What the workflow wrote: a column a member."""
        return read_parquet(self.folder / "scores" / scorer / "members.parquet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    workspace = Workspace(tmp_path_factory.mktemp("run"), SETTINGS)
    workspace.run("--until", "score_members")
    return read_back(workspace.folder / "results" / "small")


def read_back(results: Path) -> Finished:
    folder = results / f"seed{SEED}"
    splits = [load_examples(results / "data", folder / f"split/{name}.parquet") for name in ("train", "validation")]
    return Finished(folder, splits[0], splits[1], load_checkpoints(folder / "checkpoints"))


@pytest.mark.parametrize("name", METHODS)
def test_a_score_has_the_bits_of_the_run(finished: Finished, name: str) -> None:
    passed = finished.passed()
    if "early" in declarations("methods")[name].fields["needs"]:
        passed["checkpoints"] = [saved.state for saved in finished.checkpoints.runs[0].role("early")]
    options = OPTIONS.get(name, {})
    table = finished.scores("-".join([name, *(f"{option}_{value}" for option, value in options.items())]))
    assert list(table["id"]) == list(finished.train.ids)
    scores = heft.score(name, finished.model, **passed, **options)
    np.testing.assert_array_equal(scores.numpy(), table["m000"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_members_of_an_ensemble_have_the_bits_of_the_run(finished: Finished, kind: str) -> None:
    passed, table = finished.passed(), finished.scores(f"tracin__{kind}")
    for size in (1, 3):
        scores = heft.score("tracin", finished.model, **passed, ensemble=kind, members=size)
        np.testing.assert_array_equal(scores.numpy(), table.drop(columns="id").to_numpy()[:, :size].mean(axis=1))


def test_one_thread_is_what_the_bits_belong_to() -> None:
    assert torch.get_num_threads() == 1
