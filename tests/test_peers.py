"""Scores of other libraries, recorded by benchmarks/peer_scores.py, against Heft's on the same model and data."""

import sys
from functools import cache, partial
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from workspace import ROOT

from heft.kernels.curvature import curvature_operator, flatten
from heft.kernels.solve import largest_eigenvalue
from heft.methods.registry import Batch, Checkpoint, Context
from heft.methods.trak import margin
from heft.objectives.gradient import objective_gradient
from heft.objectives.loss import loss
from heft.registry import declarations

EXACT = 1 - 1e-6
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
    "small_mlp/traker==0.3.2 trak": ("trak", {"models": 1, "dimension": 4096, "damping": 0.1}, 0.9),  # not projected
    "small_logistic/dattri==0.3.0 datainf": ("datainf", {}, EXACT),
    "small_logistic/pydvl==0.10.0 datainf": ("datainf", {}, EXACT),
    "small_logistic/pydvl==0.10.0 if_arnoldi": ("if_arnoldi", {"rank": 10, "iterations": 100}, 0.99),  # it is damped
}


@cache
def problem_of(name: str) -> Any:
    folder = str(ROOT / "benchmarks" / "peers")
    sys.path.insert(0, folder)
    try:
        from problem import load
    finally:
        sys.path.remove(folder)
    return load(ROOT / "tests" / "peers" / name)


@cache
def recorded(name: str) -> dict[str, Tensor]:
    return load_file(ROOT / "tests" / "peers" / name / "scores.safetensors")


@pytest.mark.parametrize("case", CASES)
def test_heft_scores_as_another_library_does(case: str) -> None:
    name, _, key = case.partition("/")
    method, options, least = CASES[case]
    problem, theirs = problem_of(name), recorded(name)[key].double()
    if method == "if_exact":
        options = options | {"damping": problem.damping / largest_hessian_eigenvalue(problem)}
    ours = scores(problem, method, **options).double()
    correlation = float(torch.corrcoef(torch.stack([ours, theirs]))[0, 1])
    assert (-correlation if method == "trak" else correlation) >= least  # TRAK's target there is the margin


def test_every_recorded_score_has_a_case() -> None:
    assert {f"{name}/{key}" for name in ("small_mlp", "small_logistic") for key in recorded(name)} == set(CASES)


def scores(problem: Any, method: str, **options: object) -> Tensor:
    objective = mean_margin if method == "trak" else loss
    context = Context(
        train=Batch(*problem.train),
        n_classes=10,
        seed=0,
        model=problem.model,
        final=problem.state,
        spaced=[Checkpoint(state, learning_rate=rate) for state, rate in problem.checkpoints],
        subsets=[problem.state],
        validation=Batch(*problem.validation),
        gradient=partial(objective_gradient, objective),
        objective=objective,
    )
    found: Tensor = declarations("methods")[method].load()(context, **options)
    return found


def mean_margin(logits: Tensor, labels: Tensor) -> Tensor:
    return margin(logits, labels).mean()


def largest_hessian_eigenvalue(problem: Any) -> float:
    v = objective_gradient(loss, problem.model, problem.state, *problem.validation)
    product = curvature_operator("hessian", problem.model, problem.state, *problem.train, like=v)
    return largest_eigenvalue(product, flatten(v), tolerance=1e-9, most_steps=2000)
