"""Objectives and their gradients against formulas written out densely, differentiated by torch.func."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from attribution_cases import MODELS, N_CLASSES, make_case
from objective_cases import (
    DENSE,
    dense_gradient,
    dense_macro,
    gap,
    through_the_model,
    uneven,
)
from torch import Tensor, nn
from torch.func import functional_call, grad

from heft.errors import HeftError
from heft.methods.context import Context
from heft.methods.ip import ip
from heft.objectives import gradient, logits
from heft.objectives.declare import load_objective
from heft.objectives.gradient import objective_gradient, objective_value
from heft.objectives.loss import loss
from heft.objectives.macro_loss import macro_loss
from heft.registry import added_folder


@pytest.mark.parametrize("at_once", [4, 100])
@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("model", ["mlp", "batch_norm", "attention"])
def test_value_and_gradient_are_those_of_the_dense_formula_whatever_fits_a_batch(
    model: str, name: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (gradient, logits):
        monkeypatch.setattr(module, "batch_size_for", lambda *_: at_once)
    monkeypatch.setattr(logits, "SMALLEST_BATCH", 4)
    case, (function, dense) = make_case(model), DENSE[name]
    batch = uneven(case)
    expected = dense(lambda x: functional_call(case.model, case.state, (x,)), batch)
    torch.testing.assert_close(objective_value(function, case.model, case.state, batch), expected, rtol=0, atol=1e-10)
    gradients = objective_gradient(function, case.model, case.state, batch)
    for key, tensor in dense_gradient(case, dense, batch).items():
        torch.testing.assert_close(gradients[key], tensor, rtol=0, atol=1e-10)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_function_of_model_and_state_has_its_gradient_whatever_it_does_with_them(model: str) -> None:
    case = make_case(model)
    batch = uneven(case)
    parameters, buffers = case.split(case.state)

    def value(values: dict[str, Tensor]) -> Tensor:
        moved = {name: 1.1 * tensor if tensor.is_floating_point() else tensor for name, tensor in buffers.items()}
        moved |= {name: 1.1 * tensor for name, tensor in values.items()}
        first, second = (
            functional_call(case.model, given, (batch.inputs,)) for given in ({**values, **buffers}, moved)
        )
        return first.square().mean() * second.logsumexp(dim=1).mean()

    gradients = objective_gradient(through_the_model, case.model, case.state, batch)
    for key, tensor in grad(value)(parameters).items():
        torch.testing.assert_close(gradients[key], tensor, rtol=0, atol=1e-10)


@pytest.mark.slow
def test_a_mean_takes_one_forward_pass_an_example_and_no_batch_of_any_objective_is_held_beside_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (gradient, logits):
        monkeypatch.setattr(module, "batch_size_for", lambda *_: 4)
    monkeypatch.setattr(logits, "SMALLEST_BATCH", 4)
    case, alive, most, passed = make_case("mlp"), [], [], []

    def watch(_module: nn.Module, _given: object, output: Tensor) -> None:
        gc.collect()
        alive.append(weakref.ref(output))
        most.append(sum(reference() is not None for reference in alive))
        passed.append(len(output))

    case.model[1].register_forward_hook(watch)
    for function, passes in ((loss, 1), (macro_loss, 2)):
        alive.clear(), most.clear(), passed.clear()
        objective_gradient(function, case.model, case.state, uneven(case))
        assert sum(passed) == passes * 15
        assert max(most) <= 2  # one, and the one before it while it is let go of


def test_a_method_follows_the_objective_of_its_context() -> None:
    case = make_case("mlp")
    context = case.context(validation=uneven(case))
    scores = ip(replace(context, objective=macro_loss))
    v = dense_gradient(case, dense_macro, uneven(case))
    expected = sum((case.gradients()[name].flatten(1) @ v[name].flatten() for name in v), torch.zeros(()))
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-10)
    assert not torch.allclose(scores, ip(context))


OWN = """
from heft.objectives.declare import objective

@objective(title="Scaled", formula="", mean_over_examples=True)
def scaled(model, state, batch, *, by: float = 1.0):
    return by * model(batch.inputs).mean()
"""


def test_options_are_given_to_the_objective_which_keeps_what_it_declares(tmp_path: Path) -> None:
    case = make_case("mlp")
    (tmp_path / "scaled.py").write_text(OWN)
    with added_folder("objectives", tmp_path):
        plain, scaled = load_objective("scaled"), load_objective("scaled", {"by": 3.0})
        values = [objective_value(objective, case.model, case.state, case.validation) for objective in (plain, scaled)]
        with pytest.raises(HeftError, match="objective scaled: bye is not an option; did you mean"):
            load_objective("scaled", {"bye": 1.0})
    torch.testing.assert_close(values[1], 3 * values[0])
    assert scaled.mean_over_examples  # type: ignore[attr-defined]
    assert load_objective("macro_loss").__name__ == "macro_loss"


def test_what_an_objective_cannot_be_is_said_in_a_sentence() -> None:
    case = make_case("mlp")
    given = (case.model, case.state, case.validation)
    with pytest.raises(HeftError, match="The objective gap needs the group of each validation example; the data have"):
        objective_gradient(gap, *given)
    with pytest.raises(HeftError, match=r"The objective <lambda> is of shape \[15\]; it must be one number"):
        objective_value(lambda model, state, batch: model(batch.inputs)[:, 0], *given)
    with pytest.raises(HeftError, match="its gradient is not finite"):
        objective_gradient(lambda model, state, batch: (model(batch.inputs) * 0).sum().sqrt(), *given)
    with pytest.raises(HeftError, match="given no objective"):
        Context(case.train, N_CLASSES, 0, case.model, case.state, validation=case.validation).objective_gradient(
            case.state
        )


def test_an_objective_that_no_parameter_moves_has_a_gradient_of_zeros() -> None:
    case = make_case("mlp")
    gradients = objective_gradient(
        lambda model, state, batch: batch.inputs.sum(), case.model, case.state, case.validation
    )
    assert set(gradients) == {name for name, _ in case.model.named_parameters()}
    assert not any(tensor.any() for tensor in gradients.values())
