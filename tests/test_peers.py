"""Scores of other libraries, recorded by benchmarks/peer_scores.py, against Heft's on the same model and data."""

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from workspace import ROOT

from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten
from heft.kernels.curvature.solve import leading_eigenpair
from heft.kernels.functional import State
from heft.methods.trak import log_odds
from heft.objectives.gradient import objective_gradient
from heft.objectives.logits import differentiable_logits
from heft.objectives.loss import loss

FOLDER = ROOT / "tests" / "peers"
pytestmark = pytest.mark.filterwarnings("ignore::heft.HeftWarning")

EXACT = 1 - 1e-6


def minus_mean_margin(model: nn.Module, state: State, batch: Batch) -> Tensor:
    return -log_odds(differentiable_logits(model, state, batch.inputs), batch.labels).mean()


TRAKER = {"models": 1, "dimension": 4096, "damping": 0.1, "objective": minus_mean_margin}
# of each recorded score: Heft's method and options, and the least correlation with it
CASES: dict[str, tuple[str, dict[str, object], float]] = {
    "small_mlp/captum==0.9.0 ip": ("ip", {}, EXACT),
    "small_mlp/captum==0.9.0 tracin": ("tracin", {}, EXACT),
    "small_mlp/dattri==0.3.0 ip": ("ip", {}, EXACT),
    "small_mlp/dattri==0.3.0 tracin": ("tracin", {}, EXACT),
    "small_mlp/dattri==0.3.0 if_arnoldi": ("if_arnoldi", {"rank": 10, "iterations": 100}, 0.999),  # it takes 25 steps
    "small_mlp/kronfluence==1.0.1 ip": ("ip", {}, EXACT),
    "small_mlp/kronfluence==1.0.1 if_kfac": ("if_kfac", {}, 0.95),  # each draws labels of its own
    "small_mlp/kronfluence==1.0.1 if_ekfac": ("if_ekfac", {}, 0.95),
    "small_mlp/pydvl==0.10.0 if_cg": ("if_exact", {"curvature": "hessian"}, 1 - 1e-4),  # to its tolerance of 0.01
    "small_mlp/traker==0.3.2 trak": ("trak", TRAKER, 0.9),  # not projected
    "small_logistic/dattri==0.3.0 datainf": ("datainf", {}, EXACT),
    "small_logistic/pydvl==0.10.0 datainf": ("datainf", {}, EXACT),
    "small_logistic/pydvl==0.10.0 if_arnoldi": ("if_arnoldi", {"rank": 10, "iterations": 100}, 0.99),  # it is damped
}


@pytest.fixture(scope="module")
def with_heft() -> Iterator[ModuleType]:
    """benchmarks/peers/with_heft.py, which imports problem.py beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks" / "peers"))
        yield importlib.import_module("with_heft")


@cache
def recorded(name: str) -> dict[str, Tensor]:
    return load_file(FOLDER / name / "scores.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_heft_scores_as_another_library_does(with_heft: ModuleType, case: str) -> None:
    name, _, key = case.partition("/")
    method, options, least = CASES[case]
    problem, theirs = sys.modules["problem"].load(FOLDER / name), recorded(name)[key].double()
    if method == "if_exact":
        options = options | {"damping": problem.damping / largest_hessian_eigenvalue(problem)}
    ours = with_heft.run(method, problem, **options).double()
    assert float(torch.corrcoef(torch.stack([ours, theirs]))[0, 1]) >= least


def test_every_recorded_score_has_a_case() -> None:
    assert {f"{name}/{key}" for name in ("small_mlp", "small_logistic") for key in recorded(name)} == set(CASES)


def largest_hessian_eigenvalue(problem: Any) -> float:
    v = objective_gradient(loss, problem.model, problem.state, Batch(*problem.validation))
    product = CurvatureOperator("hessian", problem.model, problem.state, *problem.train, like=v)
    return leading_eigenpair(product, flatten(v), steps=100).value
