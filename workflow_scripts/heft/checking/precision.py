"""A model and examples in float64, where the model lets itself be run so."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.devices import WITHOUT_FLOAT64
from heft.kernels.functional import State, logits_of
from heft.models.soundness.closeness import rounding_of


def in_double(model: nn.Module, state: State, inputs: Tensor) -> tuple[dict[str, Tensor], Tensor, float]:
    """State and inputs in float64, and the relative error to expect; both as they are where the model
    fixes a type, or the device has no float64."""
    if inputs.device.type in WITHOUT_FLOAT64:
        return dict(state), inputs, _coarsest(model, state, inputs)
    doubled = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    try:
        logits = logits_of(model, doubled, inputs.double())
    except (RuntimeError, TypeError, ValueError):
        return dict(state), inputs, _coarsest(model, state, inputs)
    if logits.dtype != torch.float64:
        return dict(state), inputs, _coarsest(model, state, inputs)
    return doubled, inputs.double(), 1e-8


def _coarsest(model: nn.Module, state: State, inputs: Tensor) -> float:
    return 10 * rounding_of([*state.values(), logits_of(model, state, inputs)])


class Case(NamedTuple):
    """How the model is built from a seed, and examples of the type that it then takes."""

    fresh: Callable[[int], nn.Module]
    examples: Examples


def double_case(fresh: Callable[[int], nn.Module], examples: Examples) -> Case:
    """In float64, which leaves no doubt of rounding; in the model's own types where it fixes one."""
    if examples.device.type in WITHOUT_FLOAT64:
        return Case(fresh, examples)
    doubled = replace(examples, inputs=examples.inputs.double())
    try:
        with torch.no_grad():
            logits = fresh(0).double()(doubled.inputs.clone())
    except (RuntimeError, TypeError, ValueError):
        return Case(fresh, examples)
    if logits.dtype != torch.float64:
        return Case(fresh, examples)
    return Case(lambda seed: fresh(seed).double(), doubled)
