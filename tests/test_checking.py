"""The check of a model finds what training, derivatives and methods do wrong on it, and passes what is right."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import battery
import pytest
import torch
from checked import Straight, subject
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.checking import derivatives, training
from heft.checking.model_check import check_model
from heft.checking.plain_sgd import plain_sgd
from heft.training.settings import TrainingSettings


@pytest.fixture(autouse=True)
def battery_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("battery_models")
    for name, entry in battery.MODELS.items():
        setattr(module, name, entry.build)
    module.__dict__.update(straight=lambda *_: Straight())
    monkeypatch.setitem(sys.modules, "battery_models", module)


SOUND = ("linear", "conv2d", "batch_norm_1d", "dropout", "attention", "frozen_bias", "double", "relu_in_place")


@pytest.mark.parametrize("name", SOUND)
def test_what_is_right_holds(name: str) -> None:
    sound = subject(name)
    findings = [training.trains_alone(sound), training.trains_together(sound), derivatives.forward_agrees(sound)]
    findings += derivatives.hessian_agrees(sound)
    assert len(findings) == 5
    assert [finding for finding in findings if not finding.holds] == []


def test_derivatives_that_are_not_those_of_each_example_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = derivatives.directional_derivatives
    assert derivatives.forward_agrees(subject("straight")).holds  # by reverse mode
    monkeypatch.setattr(derivatives, "directional_derivatives", lambda *given: right(*given) * 1.001)
    assert "differ by" in derivatives.forward_agrees(subject("linear")).reason
    check = check_model(subject("linear").spec, [("loss", {})], [])
    assert check.mistake.startswith('model battery_models:linear: "forward mode gives the gradients of each example"')
    assert check.methods == []


def test_hessian_products_are_looked_at_where_a_method_takes_them() -> None:
    spec = subject("linear").spec
    what = [
        len(check_model(spec, [("if_cg", {"curvature": curvature})], []).findings)
        for curvature in ("gauss_newton", "hessian")
    ]
    assert what == [5, 7]


class Halved(derivatives.CurvatureOperator):
    """Half of the right product."""

    def __call__(self, vector: Tensor) -> Tensor:
        return super().__call__(vector) / 2


class Lopsided(derivatives.CurvatureOperator):
    """The right product, and a little of it shifted by one entry."""

    def __call__(self, vector: Tensor) -> Tensor:
        product = super().__call__(vector)
        return product + 1e-3 * product.roll(1)


@pytest.mark.parametrize(("wrong", "what"), [(Halved, derivatives.DIFFERENTIATED), (Lopsided, derivatives.SYMMETRIC)])
def test_hessian_products_that_are_not_right_are_found(
    monkeypatch: pytest.MonkeyPatch, wrong: type[derivatives.CurvatureOperator], what: str
) -> None:
    monkeypatch.setattr(derivatives, "CurvatureOperator", wrong)
    assert what in {
        finding.what for finding in derivatives.hessian_agrees(subject("linear")) if "differ by" in finding.reason
    }


@pytest.mark.parametrize("name", ["weight_norm", "conv2d_weight_norm"])
def test_a_double_backward_pass_that_is_not_symmetric_is_no_judge(name: str) -> None:
    findings = derivatives.hessian_agrees(subject(name))
    assert [(finding.what, finding.reason) for finding in findings] == [
        (derivatives.SYMMETRIC, ""),
        (derivatives.DIFFERENTIATED, ""),
    ]


def test_a_gradient_at_other_values_leaves_the_model_as_it_was() -> None:
    shared = subject("registered_twice")
    before = [(type(tensor), tensor.dtype, tensor.requires_grad) for tensor in shared.model.parameters()]
    state = {name: tensor.double() for name, tensor in shared.state.items()}
    derivatives.gradient(shared, state, shared.examples.inputs.double(), shared.examples.labels)
    assert [(type(tensor), tensor.dtype, tensor.requires_grad) for tensor in shared.model.parameters()] == before


def test_models_that_are_others_when_trained_together_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_as_the_first(_model: nn.Module, initial: dict[str, Tensor], *_: Any, **__: Any) -> dict[str, Tensor]:
        return {name: tensor[:1].expand_as(tensor) for name, tensor in initial.items()}

    monkeypatch.setattr(training, "train_many", all_as_the_first)
    assert "differs by" in training.trains_together(subject("linear")).reason


def test_steps_that_are_not_those_of_sgd_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_decay(model: nn.Module, train: Any, settings: TrainingSettings, **rest: Any) -> dict[str, Tensor]:
        return plain_sgd(model, train, replace(settings, weight_decay=0.0), rest["order_seed"])

    monkeypatch.setattr(training, "train_one", without_decay)
    assert "differs by" in training.trains_alone(subject("linear")).reason


@pytest.mark.parametrize("name", ["linear", "unused", "frozen_bias"])
def test_plain_sgd_is_the_rule_of_momentum_and_decay(name: str) -> None:
    trained = subject(name)
    settings = TrainingSettings(epochs=4, batch_size=len(trained.examples), learning_rate=0.1, schedule="constant")
    model, momenta = trained.fresh(), {}
    for _ in range(4):
        model.zero_grad()
        cross_entropy(model(trained.examples.inputs), trained.examples.labels).backward()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                momenta[key] = 0.9 * momenta.get(key, 0) + parameter.grad + 0.005 * parameter.detach()
                parameter.data -= 0.1 * momenta[key]
    state = plain_sgd(trained.fresh(), trained.examples, settings, order_seed=0)
    for key, tensor in model.state_dict().items():
        torch.testing.assert_close(state[key], tensor)
