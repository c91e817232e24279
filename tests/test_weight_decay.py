"""The weight decay of training reaches every method that adds it to its damping, alone and in an ensemble."""

import numpy as np
import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case, make_case
from kernel_cases import dense_gauss_newton

from heft.kernels.curvature.curvature_operator import flatten
from heft.objectives.loss import loss
from heft.scoring.members import score_members

DECAY, DAMPING = 0.7, 0.1
WITH_DECAY = ["if_cg", "if_exact", "if_lissa"]


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("logistic")


def scores(
    case: Case, name: str, decay: float, kind: str | None = None, size: int = 1, **options: object
) -> np.ndarray:
    return score_members(
        name,
        options,
        kind,
        size,
        model=case.model,
        trained=case.trained(members=2),
        train=case.train,
        validation=case.validation,
        true_labels=None,
        n_classes=N_CLASSES,
        seed=0,
        objective=loss,
        weight_decay=decay,
    ).scores


def by_hand(case: Case, decay: float) -> torch.Tensor:
    """The dense solve with the decay beside the damping."""
    matrix, gradients = dense_gauss_newton(case), case.gradients()
    shift = decay + DAMPING * torch.linalg.eigvalsh(matrix).max()
    names = [name for name, _ in case.model.named_parameters()]
    v = case.objective_gradient()
    solved = torch.linalg.solve(matrix + shift * torch.eye(len(matrix)), flatten({name: v[name] for name in names}))
    return torch.cat([gradients[name].flatten(1) for name in names], dim=1) @ solved


@pytest.mark.parametrize("name", WITH_DECAY)
def test_a_score_has_the_decay_in_its_damping(case: Case, name: str) -> None:
    options = {"damping": DAMPING} | ({"curvature": "gauss_newton"} if name == "if_exact" else {})
    options |= {"tolerance": 1e-4} if name != "if_exact" else {}
    options |= {"batch_size": N_TRAIN} if name == "if_lissa" else {}
    influences, expected = scores(case, name, DECAY, **options)[:, 0], by_hand(case, DECAY).numpy()
    assert abs(influences - expected).max() < 0.01 * abs(expected).max()
    assert abs(influences - by_hand(case, 0.0).numpy()).max() > 0.1 * abs(expected).max()


@pytest.mark.parametrize("kind", ["seeds", "parameter_dropout"])
@pytest.mark.parametrize("name", WITH_DECAY)
def test_each_method_hears_of_the_decay_at_every_member(case: Case, name: str, kind: str) -> None:
    with_decay, without = (scores(case, name, decay, kind, 2) for decay in (DECAY, 0.0))
    for member in range(2):
        assert abs(with_decay[:, member] - without[:, member]).max() > 1e-3 * abs(without[:, member]).max()
