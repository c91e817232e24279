"""Refuses, before anything is trained, a model that no score could be sound for."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.calling import call
from heft.models.soundness.by_itself import check_each_by_itself
from heft.models.soundness.example_inputs import random_inputs, unit_inputs
from heft.models.soundness.outputs import check_finite, check_shape
from heft.models.soundness.parameters import check_parameters, reached_parameters
from heft.models.soundness.unchanged import check_same_input, check_same_state, copies_of
from heft.persons_code import reason_of

N = 3  # examples: one alone, another alone, and a third beside them


def check_soundness(
    model: nn.Module, label: str, input_shape: Sequence[int], n_classes: int, inputs: Tensor | None = None
) -> None:
    """Raises HeftError where the model has no ordinary parameters or gradient, changes its input, its parameters or in
    evaluation mode its buffers, or gives an example other logits at another call or among others.

    inputs: some to try it on, [n, *input_shape] of at least two examples; random ones where absent. Leaves the model as
    it was, in evaluation mode.
    """
    check_parameters(model, label)
    before = copies_of(model)
    inputs = usable_inputs(model, input_shape) if inputs is None else inputs
    _check_logits(model, label, inputs, n_classes, before)
    _check_training_mode(model, label, inputs, n_classes)
    check_each_by_itself(model, inputs, label, n_classes)


def usable_inputs(model: nn.Module, input_shape: Sequence[int], n: int = N) -> Tensor:
    """Random inputs; numbers in 0..1 where the model fails on others, as one does that takes pixels or counts."""
    inputs = random_inputs(n, input_shape)
    try:
        with torch.no_grad():
            logits = model(inputs.clone())
        fits = not isinstance(logits, Tensor) or bool(logits.isfinite().all())
    except (ArithmeticError, LookupError, RuntimeError, ValueError):
        fits = False
    return inputs if fits else unit_inputs(n, input_shape)


def _check_logits(model: nn.Module, label: str, inputs: Tensor, n_classes: int, before: Mapping[str, Tensor]) -> None:
    given = inputs.clone()
    with torch.enable_grad():
        logits = model(given)
    check_shape(logits, label, len(inputs), n_classes)
    check_finite(logits, label)
    check_same_input(given, inputs, label)
    check_same_state(model, before, label)
    _check_gradient(model, logits, label, "in evaluation mode")


def _check_training_mode(model: nn.Module, label: str, inputs: Tensor, n_classes: int) -> None:
    """On copies of the parameters and buffers."""
    given = inputs.clone()
    try:
        model.train()
        with torch.enable_grad():
            logits = call(model, {name: tensor.clone() for name, tensor in model.named_buffers()}, given)
    finally:
        model.eval()
    check_shape(logits, f"{label}, in training mode,", len(inputs), n_classes)
    check_same_input(given, inputs, label)
    _check_gradient(model, logits, label, "in training mode")


def _check_gradient(model: nn.Module, logits: Tensor, label: str, when: str) -> None:
    try:
        reached = reached_parameters(model, logits)
    except Exception as error:
        raise HeftError(f"{label} cannot be differentiated {when}: {reason_of(error)}.") from error
    if not reached:
        raise HeftError(
            f"{label}: no gradient of the logits reaches a parameter {when}, so there is nothing to train; look for "
            "no_grad, detach or whole numbers in its forward."
        )
