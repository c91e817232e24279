"""The check of a model finds what training, derivatives and methods do wrong on it, and passes what is right."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import battery
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.checking import derivatives, methods, training
from heft.checking.model_check import check_model
from heft.checking.plain_sgd import plain_sgd
from heft.checking.subject import Subject, subject_of
from heft.checking.table import table
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.training.settings import TrainingSettings
from heft.workflow.planning.asked import option_of, shape_of, tried_on


@pytest.fixture(autouse=True)
def battery_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("battery_models")
    for name, found in battery.MODELS.items():
        setattr(module, name, found.build)
    module.__dict__.update(straight=lambda *_: Straight())
    monkeypatch.setitem(sys.modules, "battery_models", module)


class Twofold(torch.autograd.Function):
    """The identity, whose gradient is twice too large, and whose tangent is not."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None: ...

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return tangent.clone()


class Straight(nn.Module):
    """A gradient of its own making, which forward mode does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(16, 8), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(Twofold.apply(torch.tanh(self.first(x.flatten(1)))))


def subject(name: str) -> Subject:
    return subject_of(ModelSpec(f"battery_models:{name}", {}, battery.INPUT_SHAPE, battery.N_CLASSES))


SOUND = ("linear", "conv2d", "batch_norm_1d", "dropout", "attention", "frozen_bias", "double", "relu_in_place")


@pytest.mark.parametrize("name", SOUND)
def test_what_is_right_holds(name: str) -> None:
    one = subject(name)
    findings = [training.trains_alone(one), training.trains_together(one), derivatives.forward_agrees(one)]
    assert [finding for finding in [*findings, *derivatives.hessian_agrees(one)] if not finding.holds] == []


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
        found = super().__call__(vector)
        return found + 1e-3 * found.roll(1)


@pytest.mark.parametrize(("wrong", "what"), [(Halved, derivatives.DIFFERENTIATED), (Lopsided, derivatives.SYMMETRIC)])
def test_hessian_products_that_are_not_right_are_found(
    monkeypatch: pytest.MonkeyPatch, wrong: type[derivatives.CurvatureOperator], what: str
) -> None:
    monkeypatch.setattr(derivatives, "CurvatureOperator", wrong)
    assert what in {one.what for one in derivatives.hessian_agrees(subject("linear")) if "differ by" in one.reason}


@pytest.mark.parametrize("name", ["weight_norm", "conv2d_weight_norm"])
def test_a_double_backward_pass_that_is_not_symmetric_is_no_judge(name: str) -> None:
    assert all(finding.holds for finding in derivatives.hessian_agrees(subject(name)))


def test_a_gradient_at_other_values_leaves_the_model_as_it_was() -> None:
    one = subject("registered_twice")
    before = [(type(tensor), tensor.dtype, tensor.requires_grad) for tensor in one.model.parameters()]
    state = {name: tensor.double() for name, tensor in one.state.items()}
    derivatives.gradient(one, state, one.examples.inputs.double(), one.examples.labels)
    assert [(type(tensor), tensor.dtype, tensor.requires_grad) for tensor in one.model.parameters()] == before


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
    one = subject(name)
    settings = TrainingSettings(epochs=4, batch_size=len(one.examples), learning_rate=0.1, schedule="constant")
    model, momenta = one.fresh(), {}
    for _ in range(4):
        model.zero_grad()
        cross_entropy(model(one.examples.inputs), one.examples.labels).backward()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                momenta[key] = 0.9 * momenta.get(key, 0) + parameter.grad + 0.005 * parameter.detach()
                parameter.data -= 0.1 * momenta[key]
    found = plain_sgd(one.fresh(), one.examples, settings, order_seed=0)
    for key, tensor in model.state_dict().items():
        torch.testing.assert_close(found[key], tensor)


def test_each_registered_method_is_run_and_what_cannot_says_why() -> None:
    of_methods, of_kinds = methods.methods_that_run(
        subject("logistic"), methods.all_methods(), ["parameter_dropout", "activation_dropout", "seeds"]
    )
    assert {finding.what: finding.reason for finding in of_methods if not finding.holds} == {}
    assert len(of_methods) == len(methods.all_methods())
    cannot = "activation_dropout: the model has no hidden layer whose activations could be dropped"
    assert [finding.reason for finding in of_kinds] == ["", cannot, ""]


def test_the_table_says_the_numbers_what_holds_and_what_cannot_run() -> None:
    spec = ModelSpec("mlp", {"hidden": [600]}, [1, 4, 4], 4)
    check = check_model(spec, [("loss", {}), ("if_exact", {"damping": 0.2})], ["seeds"])
    text = table(check)
    assert "model mlp, hidden [600]: inputs [1, 4, 4], 4 classes" in text
    assert f"{(16 + 1) * 600 + (600 + 1) * 4:,} parameters" in text
    assert "if_exact damping 0.2  cannot: parameters selects 12,604 numbers" in text
    assert "  loss                  runs\n" in text
    assert text.count("  holds  ") == 7
    assert check.cannot[0].startswith("method if_exact damping 0.2 cannot run on model mlp: parameters selects 12,604")
    assert ModelSpec(**check.as_json()["model"]) == spec


def test_frozen_and_unreached_parameters_are_counted() -> None:
    facts = check_model(subject("unused").spec, [], []).facts
    assert (facts["trained"], facts["frozen"], facts["unreached"]) == (16 * 4 + 4 + 3 * 4 + 2, 0, 3 * 4 + 2)
    assert check_model(subject("frozen_bias").spec, [], []).facts["frozen"] == 8


def test_logits_that_are_not_finite_for_the_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys.modules["battery_models"], "root", lambda *_: nn.Sequential(Root(), nn.LazyLinear(4)), False
    )
    spec = ModelSpec("battery_models:root", {}, battery.INPUT_SHAPE, battery.N_CLASSES)
    assert subject_of(spec).examples.inputs.min() >= 0
    with pytest.raises(HeftError, match="model battery_models:root returns logits that are not finite"):
        subject_of(spec, -torch.ones(4, *battery.INPUT_SHAPE))


class Root(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).sqrt()


def test_shapes_and_options_are_read_as_they_are_written() -> None:
    assert shape_of("1,28,28") == [1, 28, 28]
    assert [option_of(text) for text in ("width=24", "norm=batch", "hidden=[3, 4]", "rate=0.5")] == [
        ("width", 24),
        ("norm", "batch"),
        ("hidden", [3, 4]),
        ("rate", 0.5),
    ]


def test_an_experiments_methods_and_kinds_are_tried_under_its_objective() -> None:
    definition = {
        "methods": ["ip", {"if_cg": {"damping": [0.1, 0.2]}}],
        "ensembles": [{"kind": "seeds", "sizes": [2]}],
        "objective": "macro_loss",
    }
    assert tried_on({"experiments": ["a"], "definitions": {"a": definition}}, "a") == {
        "methods": [("ip", {}), ("if_cg", {}), ("if_cg", {"damping": 0.2})],
        "kinds": ["seeds"],
        "objective": ("macro_loss", {}),
    }
