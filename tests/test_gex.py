"""GEX against trajectories by plain SGD in a loop, with the draws of its own streams."""

import pytest
import torch
from attribution_cases import N_TRAIN, Case, make_case
from kernel_cases import dense_gauss_newton
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from heft.kernels.batch import Batch
from heft.methods.gex import gex

OPTIONS = {"models": 5, "epochs": 0.5, "step_size": 0.4, "batch_size": 8}
N_STEPS = round(0.5 * N_TRAIN / 8)


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def losses(case: Case, state: dict[str, Tensor], batch: Batch) -> Tensor:
    return cross_entropy(functional_call(case.model, state, (batch.inputs,)), batch.labels, reduction="none")


@pytest.fixture(scope="module")
def moves(case: Case) -> tuple[Tensor, Tensor]:
    """How far each training loss, and f, moves on each trajectory: [models, n_train], [models]."""
    rate = 0.4 / torch.linalg.eigvalsh(dense_gauss_newton(case)).max()
    moved, f_moved = [], []
    for number in range(5):
        generator = case.context().generator(f"gex/{number}")
        state = {name: tensor.clone().requires_grad_() for name, tensor in case.state.items()}
        for rows in torch.randint(N_TRAIN, (N_STEPS, 8), generator=generator):
            loss = losses(case, state, Batch(case.train.inputs[rows], case.train.labels[rows])).mean()
            for tensor, gradient in zip(state.values(), torch.autograd.grad(loss, list(state.values())), strict=True):
                tensor.data -= rate * gradient
        moved.append((losses(case, state, case.train) - losses(case, case.state, case.train)).detach())
        f_moved.append(
            (losses(case, state, case.validation) - losses(case, case.state, case.validation)).mean().detach()
        )
    return torch.stack(moved), torch.stack(f_moved)


def close(scores: Tensor, expected: Tensor) -> None:
    """Within what the largest eigenvalue is off, which sets the length of a step."""
    assert float((scores - expected).abs().max()) < 0.05 * float(expected.abs().max())


def test_a_score_is_how_a_loss_and_f_move_together_over_the_spread_of_f(
    case: Case, moves: tuple[Tensor, Tensor]
) -> None:
    moved, f_moved = moves
    covariance = ((f_moved - f_moved.mean())[:, None] * (moved - moved.mean(0))).mean(0)
    close(gex(case.context(), **OPTIONS), covariance / f_moved.std(unbiased=False))  # type: ignore[arg-type]


def test_with_target_self_a_score_is_minus_the_mean_squared_move_of_the_examples_own_loss(
    case: Case, moves: tuple[Tensor, Tensor]
) -> None:
    scores = gex(case.context(), target="self", **OPTIONS)  # type: ignore[arg-type]
    close(scores, -(moves[0] ** 2).mean(0))
    assert scores.max() <= 0


def test_with_target_self_the_drift_of_f_is_no_reason_to_warn() -> None:
    logistic = make_case("logistic")
    context = logistic.context(final=logistic.scaled(0.1))
    gex(context, target="self", models=4, epochs=5, batch_size=20)
    assert context.warnings == []
    gex(context, models=4, epochs=5, batch_size=20)
    assert len(context.warnings) == 1
