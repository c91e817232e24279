"""Derivatives are right whatever a model does with its layers, and it is left as it was."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from attribution_cases import MODELS, N_CLASSES, Case, inner, make_case
from kernel_cases import random_direction
from perturbed import perturbation
from torch import nn

from heft.kernels.curvature.hessian_ways import right_hessian_product
from heft.kernels.curvature.products import hessian_product
from heft.kernels.directional import directional_derivatives
from heft.kernels.functional import values_of
from heft.kernels.layers.contraction import contractible_layers
from heft.kernels.layers.norms import squared_gradient_norms
from heft.kernels.ways import Way, way_of
from heft.models.build import build_model


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


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
    derivatives = directional_derivatives(case.model, case.state, [direction], *case.train)
    torch.testing.assert_close(derivatives[0], expected, rtol=0, atol=1e-10)


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
        derivatives = directional_derivatives(case.model, case.state, directions, *case.train, batch_size=batch_size)
        torch.testing.assert_close(derivatives, expected, rtol=0, atol=1e-10)


def test_hooks_that_change_a_layers_input_count_once() -> None:
    case = make_case("cnn")
    masked, _ = perturbation("activation_dropout", case.model, 0, 1, {"rate": 0.5})
    case = replace(case, model=masked)
    directions = [random_direction(case, seed) for seed in (1, 2)]
    expected = torch.stack([inner(case.gradients(), direction) for direction in directions])
    derivatives = directional_derivatives(masked, case.state, directions, *case.train)
    torch.testing.assert_close(derivatives, expected, rtol=0, atol=1e-10)


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
        derivatives = directional_derivatives(model, state, directions[:k], *case.train)
        torch.testing.assert_close(derivatives, expected[:k], rtol=1e-10, atol=1e-8)
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
        derivatives = directional_derivatives(model, plain.state, directions[:k], *case.train)
        torch.testing.assert_close(derivatives, expected[:k], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn", "resnet18"])
def test_ordinary_models_go_in_forward_mode_and_backward_through_tangents(name: str) -> None:
    model = build_model(name, {"width": 4} if name == "resnet18" else {}, (1, 28, 28), 10, seed=0)
    state, inputs = dict(model.state_dict()), torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    v = {key: tensor.detach() for key, tensor in model.named_parameters()}
    assert way_of(model, values_of(model, state), inputs) is Way.FORWARD
    assert right_hessian_product(model, state, inputs, torch.arange(4), v) is hessian_product
