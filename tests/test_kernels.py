"""The kernels agree with per-example reverse mode and with dense matrices, in float64."""

import pytest
import torch
from attribution_cases import MODELS, Case, inner, make_case
from kernel_cases import random_direction
from torch import nn

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.directional import directional_derivatives, summed_derivatives
from heft.kernels.functional import LARGE_BATCH, LARGEST_BATCH, batch_size_for
from heft.kernels.layers import contraction, matrix_gradients
from heft.objectives import gradient
from heft.objectives.loss import loss


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_one_direction_is_the_inner_product_with_every_gradient(case: Case, batch_size: int | None) -> None:
    direction = random_direction(case, 1)
    derivatives = directional_derivatives(case.model, case.state, [direction], *case.train, batch_size=batch_size)
    torch.testing.assert_close(derivatives[0], inner(case.gradients(), direction), rtol=0, atol=1e-10)


def test_several_directions_are_the_single_ones(case: Case) -> None:
    directions = [random_direction(case, seed) for seed in (1, 2, 3)]
    derivatives = directional_derivatives(case.model, case.state, directions, *case.train)
    gradients = case.gradients()
    torch.testing.assert_close(derivatives, torch.stack([inner(gradients, d) for d in directions]), rtol=0, atol=1e-10)
    stacked = {name: torch.stack([direction[name] for direction in directions]) for name in directions[0]}
    assert torch.equal(directional_derivatives(case.model, case.state, stacked, *case.train), derivatives)


@pytest.mark.parametrize("how", ["by layers", "by gradients", "by gradients of few examples at a time"])
def test_several_directions_are_the_single_ones_whatever_is_formed(
    case: Case, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "by layers":
        monkeypatch.setattr(contraction, "takes_all_at_once", lambda *_: False)
    elif how != "by gradients":
        monkeypatch.setattr(matrix_gradients, "MEMORY_BUDGET", 10_000)
    directions = [random_direction(case, seed) for seed in range(40)]
    derivatives = directional_derivatives(case.model, case.state, directions, *case.train, batch_size=17)
    gradients = case.gradients()
    torch.testing.assert_close(derivatives, torch.stack([inner(gradients, d) for d in directions]), rtol=0, atol=1e-10)


def test_a_mean_over_examples_has_the_gradient_of_any_objective(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient, "batch_size_for", lambda *given: 7)
    batched = gradient.objective_gradient(loss, case.model, case.state, case.train)
    whole = gradient.objective_gradient(lambda *given: loss(*given), case.model, case.state, case.train)
    assert batched.keys() == whole.keys() == {name for name, _ in case.model.named_parameters()}
    for name, tensor in whole.items():
        torch.testing.assert_close(batched[name], tensor, rtol=0, atol=1e-12)


def test_a_mean_that_is_not_finite_is_an_error() -> None:
    case = make_case("mlp")
    inputs = case.train.inputs.clone()
    inputs[33] = torch.inf
    with pytest.raises(HeftError, match="is not finite; check that training did not diverge"):
        gradient.objective_gradient(loss, case.model, case.state, Batch(inputs, case.train.labels))


def test_points_are_summed(case: Case) -> None:
    other = {name: 0.5 * tensor for name, tensor in case.state.items()}
    points = [(case.state, random_direction(case, 1)), (other, random_direction(case, 2))]
    expected = inner(case.gradients(), points[0][1]) + inner(case.gradients(other), points[1][1])
    torch.testing.assert_close(summed_derivatives(case.model, points, *case.train), expected, rtol=0, atol=1e-10)


def test_batch_size_depends_on_shapes_alone() -> None:
    case = make_case("mlp")
    size = batch_size_for(case.model, case.state, case.train.inputs)
    assert size == batch_size_for(case.model, case.state, case.train.inputs[:3])
    assert size & (size - 1) == 0
    assert batch_size_for(case.model, case.state, case.train.inputs, tangents=1000) < size


@pytest.mark.parametrize(
    ("width", "expected"),
    [(10, LARGEST_BATCH), (1000, 2 * LARGE_BATCH), (4000, LARGE_BATCH), (16000, 128), (10**6, 32)],
)
def test_batches_over_256_must_be_small(width: int, expected: int) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, width))  # 8 bytes a unit with its tangent; the flattening is none
    state = {"1.weight": torch.zeros(width, 2), "1.bias": torch.zeros(width)}
    assert batch_size_for(model, state, torch.zeros(1, 1, 2)) == expected
