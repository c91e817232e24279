"""The kernels agree with per-example reverse mode and with dense matrices, in float64."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from attribution_cases import MODELS, N_CLASSES, N_TRAIN, Case, inner, make_case
from perturbed import perturbation
from torch import nn
from torch.func import functional_call, grad, jacrev
from torch.nn.functional import cross_entropy

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.curvature import curvature_operator
from heft.kernels.curvature.curvature_operator import (
    CURVATURES,
    SMALLEST_SAMPLE,
    STEPS_FROM_SAMPLE,
    STEPS_IN_SAMPLE,
    CurvatureOperator,
    flatten,
    unflatten,
)
from heft.kernels.curvature.hessian_ways import right_hessian_product
from heft.kernels.curvature.products import hessian_product
from heft.kernels.curvature.solve import conjugate_gradient, lanczos, leading_eigenpair
from heft.kernels.directional import directional_derivatives, summed_derivatives
from heft.kernels.functional import LARGE_BATCH, LARGEST_BATCH, batch_size_for, values_of
from heft.kernels.layers import contraction, matrix_gradients
from heft.kernels.layers.contraction import contractible_layers
from heft.kernels.layers.norms import squared_gradient_norms
from heft.kernels.ways import Way, way_of
from heft.models.build import build_model
from heft.objectives import gradient
from heft.objectives.loss import loss


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


def random_direction(case: Case, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        for name, tensor in case.model.named_parameters()
    }


@pytest.mark.parametrize("batch_size", [None, 7])
def test_one_direction_is_the_inner_product_with_every_gradient(case: Case, batch_size: int | None) -> None:
    direction = random_direction(case, 1)
    found = directional_derivatives(case.model, case.state, [direction], *case.train, batch_size=batch_size)
    torch.testing.assert_close(found[0], inner(case.gradients(), direction), rtol=0, atol=1e-10)


def test_several_directions_are_the_single_ones(case: Case) -> None:
    directions = [random_direction(case, seed) for seed in (1, 2, 3)]
    found = directional_derivatives(case.model, case.state, directions, *case.train)
    gradients = case.gradients()
    torch.testing.assert_close(found, torch.stack([inner(gradients, d) for d in directions]), rtol=0, atol=1e-10)
    stacked = {name: torch.stack([direction[name] for direction in directions]) for name in directions[0]}
    assert torch.equal(directional_derivatives(case.model, case.state, stacked, *case.train), found)


@pytest.mark.parametrize("how", ["by layers", "by gradients", "by gradients of few examples at a time"])
def test_several_directions_are_the_single_ones_whatever_is_formed(
    case: Case, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "by layers":
        monkeypatch.setattr(contraction, "takes_all_at_once", lambda *_: False)
    elif how != "by gradients":
        monkeypatch.setattr(matrix_gradients, "MEMORY_BUDGET", 10_000)
    directions = [random_direction(case, seed) for seed in range(40)]
    found = directional_derivatives(case.model, case.state, directions, *case.train, batch_size=17)
    gradients = case.gradients()
    torch.testing.assert_close(found, torch.stack([inner(gradients, d) for d in directions]), rtol=0, atol=1e-10)


def test_a_mean_over_examples_has_the_gradient_of_any_objective(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient, "batch_size_for", lambda *given: 7)
    found = gradient.objective_gradient(loss, case.model, case.state, case.train)
    whole = gradient.objective_gradient(lambda *given: loss(*given), case.model, case.state, case.train)
    for name, tensor in whole.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-12)


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


def dense_gauss_newton(case: Case) -> torch.Tensor:
    """G as a matrix, from the Jacobian of the logits."""
    parameters, buffers = case.split(case.state)

    def logits_of(vector: torch.Tensor) -> torch.Tensor:
        return functional_call(case.model, {**unflatten(vector, parameters), **buffers}, (case.train.inputs,))

    jacobian = jacrev(logits_of)(flatten(parameters))  # [n, c, d]
    p = logits_of(flatten(parameters)).softmax(1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    return torch.einsum("ncd,nck,nke->de", jacobian, middle, jacobian) / len(p)


def test_the_gauss_newton_product_is_the_dense_matrix(case: Case) -> None:
    direction = random_direction(case, 1)
    product = CurvatureOperator("gauss_newton", case.model, case.state, *case.train, like=direction)
    expected = dense_gauss_newton(case) @ flatten(direction)
    torch.testing.assert_close(product(flatten(direction)), expected, rtol=0, atol=1e-10)


def test_the_hessian_product_is_the_change_of_the_gradient_along_the_direction(case: Case) -> None:
    direction = random_direction(case, 1)
    parameters, buffers = case.split(case.state)
    step = 1e-5

    def mean(values: dict[str, torch.Tensor]) -> torch.Tensor:
        logits = functional_call(case.model, {**values, **buffers}, (case.train.inputs,))
        return cross_entropy(logits, case.train.labels)

    after, before = (
        grad(mean)({name: parameters[name] + sign * step * direction[name] for name in direction}) for sign in (1, -1)
    )
    expected = (flatten(after) - flatten(before)) / (2 * step)
    product = CurvatureOperator("hessian", case.model, case.state, *case.train, like=direction)(flatten(direction))
    torch.testing.assert_close(product, expected, rtol=0, atol=1e-7 * float(expected.abs().max()))


def positive_definite(size: int) -> torch.Tensor:
    root = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root @ root.T + torch.eye(size, dtype=torch.float64)


def test_conjugate_gradients_solve_to_the_tolerance() -> None:
    matrix, b = positive_definite(30), torch.arange(30.0, dtype=torch.float64)
    x = conjugate_gradient(lambda v: matrix @ v, b, tolerance=1e-10, most_steps=200)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b), rtol=1e-7, atol=1e-7)


def test_a_direction_of_negative_curvature_is_an_error() -> None:
    with pytest.raises(HeftError, match="not above 0"):
        conjugate_gradient(lambda v: -v, torch.ones(3), tolerance=0.1, most_steps=10)


def test_too_few_steps_are_an_error_with_the_residual() -> None:
    matrix = positive_definite(30)
    with pytest.raises(HeftError, match="in 2 steps"):
        conjugate_gradient(lambda v: matrix @ v, torch.ones(30, dtype=torch.float64), tolerance=1e-12, most_steps=2)


def test_lanczos_finds_the_leading_eigenpair() -> None:
    matrix = positive_definite(30)
    values, vectors = torch.linalg.eigh(matrix)
    for sign in (1, -1):
        found = leading_eigenpair(lambda v, sign=sign: sign * matrix @ v, torch.ones(30, dtype=torch.float64), steps=20)
        assert found.value == pytest.approx(float(values[-1]), rel=1e-6)
        assert float(found.vector.dot(vectors[:, -1]).abs()) == pytest.approx(1, abs=1e-3)


def test_a_start_of_zeros_gives_way_to_a_drawn_one() -> None:
    matrix = positive_definite(30)
    found = leading_eigenpair(lambda v: matrix @ v, torch.zeros(30, dtype=torch.float64))
    assert found.value == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=0.02)
    assert leading_eigenpair(lambda v: 0 * v, torch.zeros(30)).value == 0


def test_many_examples_begin_at_the_leading_eigenvector_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    case, times = make_case("mlp"), math.ceil(4 * SMALLEST_SAMPLE / N_TRAIN)
    noise = torch.randn(times * N_TRAIN, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs, labels = case.train.inputs.repeat(times, 1, 1, 1) + 0.3 * noise, case.train.labels.repeat(times)
    like = random_direction(case, 1)
    operator, start = CurvatureOperator("gauss_newton", case.model, case.state, inputs, labels, like), flatten(like)
    truth = lanczos(operator, start, steps=60)
    product, sizes = curvature_operator.gauss_newton_product, []

    def counted(*given: Any) -> dict[str, torch.Tensor]:
        sizes.append(len(given[3]))
        return product(*given)

    monkeypatch.setattr(curvature_operator, "gauss_newton_product", counted)
    found = operator.leading_eigenpair(start)
    assert found.value == pytest.approx(float(truth.values[0]), rel=0.01)
    assert sizes == [SMALLEST_SAMPLE] * STEPS_IN_SAMPLE + [len(inputs)] * STEPS_FROM_SAMPLE


def test_the_matrix_of_some_examples_is_that_of_a_smaller_training_set(case: Case) -> None:
    like, rows = random_direction(case, 1), torch.tensor([3, 1, 20])
    for kind in CURVATURES:
        whole = CurvatureOperator(kind, case.model, case.state, *case.train, like)
        smaller = CurvatureOperator(kind, case.model, case.state, *(part[rows] for part in case.train), like)
        found = whole.of_examples(rows)(flatten(like))
        torch.testing.assert_close(found, smaller(flatten(like)), rtol=0, atol=1e-10)
        assert not torch.allclose(found, whole(flatten(like)))


def test_the_model_is_left_as_it_was() -> None:
    case = make_case("batch_norm")
    case.model.train()
    before = {name: tensor.clone() for name, tensor in case.model.state_dict().items()}
    directional_derivatives(case.model, case.state, [random_direction(case, 1)], *case.train)
    assert case.model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in case.model.state_dict().items())


def test_a_model_left_in_training_mode_is_run_in_evaluation_mode() -> None:
    case, direction = make_case("batch_norm"), random_direction(make_case("batch_norm"), 1)
    expected = inner(case.gradients(), direction)  # the case is in evaluation mode
    case.model.train()
    found = directional_derivatives(case.model, case.state, [direction], *case.train)
    torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-10)


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


class InPlace(nn.Module):
    """Changes the outputs of layers in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(16, 8), nn.Linear(8, 8), nn.Linear(8, N_CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = nn.functional.silu(self.first(x.flatten(1)), inplace=True)
        further = self.second(hidden)
        further += 1
        return self.head(further * hidden)


class UsedTwice(InPlace):
    """Uses a weight once more beside its layer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = nn.functional.silu(self.second(nn.functional.silu(self.first(x.flatten(1)))))
        return self.head(hidden @ self.second.weight)


class Turned(InPlace):
    """Gives a layer rows that are positions of all examples, not examples."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        positions = x.flatten(1).unflatten(1, (2, 8)).transpose(0, 1)
        mixed = nn.functional.silu(self.second(positions))
        return self.head(mixed.sum(0)) + self.first(x.flatten(1)).sum(1, keepdim=True)


class Symmetric(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + weight.T


def parametrised() -> nn.Module:
    """A layer whose weight is made from another parameter."""
    model = InPlace()
    nn.utils.parametrize.register_parametrization(model.second, "weight", Symmetric())
    return model


@pytest.mark.parametrize("build", [InPlace, UsedTwice, Turned, parametrised])
def test_several_directions_are_right_whatever_a_model_does_with_its_layers(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    case = make_case("mlp")
    case = replace(case, model=build().double().eval(), state=dict(build().double().state_dict()))
    directions = [random_direction(case, seed) for seed in (1, 2)]
    expected = torch.stack([inner(case.gradients(), direction) for direction in directions])
    for batch_size in (1, 2, None):
        found = directional_derivatives(case.model, case.state, directions, *case.train, batch_size=batch_size)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_hooks_that_change_a_layers_input_count_once() -> None:
    case = make_case("cnn")
    masked, _ = perturbation("activation_dropout", case.model, 0, 1, {"rate": 0.5})
    case = replace(case, model=masked)
    directions = [random_direction(case, seed) for seed in (1, 2)]
    expected = torch.stack([inner(case.gradients(), direction) for direction in directions])
    found = directional_derivatives(masked, case.state, directions, *case.train)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["mlp", "cnn", "batch_norm", "group_norm"])
def test_common_layers_are_contracted(name: str) -> None:
    case = make_case(name)
    assert contractible_layers(case.model, case.state, case.train.inputs[:2])


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_resnet18_has_the_derivatives_of_its_gradients(norm: str) -> None:
    model = build_model("resnet18", {"width": 4, "norm": norm}, (1, 4, 4), N_CLASSES, seed=0).double()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name in state:
        if name.endswith("running_var"):
            state[name] = state[name] * 2
    case = replace(make_case("cnn"), model=model, state=state)
    directions = [random_direction(case, seed) for seed in (1, 2)]
    expected = torch.stack([inner(case.gradients(), direction) for direction in directions])
    for k in (1, 2):
        found = directional_derivatives(model, state, directions[:k], *case.train)
        torch.testing.assert_close(found, expected[:k], rtol=1e-10, atol=1e-8)
    squared = squared_gradient_norms(model, state, *case.train)
    summed = sum(gradient.flatten(1).square().sum(1) for gradient in case.gradients().values())
    torch.testing.assert_close(squared, summed, rtol=1e-9, atol=1e-8)


class _NoForwardMode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
        return gradient


class Opaque(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _NoForwardMode.apply(x)


def test_a_layer_without_forward_mode_has_the_derivatives_of_its_backward_pass() -> None:
    case = make_case("mlp")
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4), Opaque()).double()
    directions = [{name: (1.0 + k) * torch.ones_like(t) for name, t in model.named_parameters()} for k in range(2)]
    plain = replace(case, model=model[:2], state=dict(model.state_dict()))
    expected = torch.stack([inner(plain.gradients(), direction) for direction in directions])
    for k in (1, 2):
        found = directional_derivatives(model, plain.state, directions[:k], *case.train)
        torch.testing.assert_close(found, expected[:k], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn", "resnet18"])
def test_ordinary_models_go_in_forward_mode_and_backward_through_tangents(name: str) -> None:
    model = build_model(name, {"width": 4} if name == "resnet18" else {}, (1, 28, 28), 10, seed=0)
    state, inputs = dict(model.state_dict()), torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    v = {key: tensor.detach() for key, tensor in model.named_parameters()}
    assert way_of(model, values_of(model, state), inputs) is Way.FORWARD
    assert right_hessian_product(model, state, inputs, torch.arange(4), v) is hessian_product
