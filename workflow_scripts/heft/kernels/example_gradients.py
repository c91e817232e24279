"""Whole gradients of single examples, for models with a layer that has no rule: many times the cost of a rule."""

from collections.abc import Collection, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import grad, vmap

from heft.devices import in_float64
from heft.kernels.calling import call
from heft.kernels.functional import MEMORY_BUDGET, Loss, State, evaluation, values_of
from heft.kernels.once import once_a_model
from heft.kernels.reverse import gradients_one_by_one

Gradients = dict[str, Tensor]  # [b, ...] by the parameter's name in the model


def example_gradients(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, loss: Loss, names: Collection[str]
) -> Iterator[Gradients]:
    """grad l_i by the parameters of `names`, of as many examples at a time as the memory budget holds.

    By torch.func if it gives what a backward pass for each example gives, else by those passes.
    Raises HeftError if torch has no gradient of the model.
    """
    values = values_of(model, state)
    moving = {name: values[name] for name in names}
    at_once, one_by_one = (partial(each, model, values, moving, loss) for each in (_at_once, _one_by_one))

    def agree() -> bool:
        try:
            together, alone = at_once(inputs[:2], labels[:2]), one_by_one(inputs[:2], labels[:2])
        except (RuntimeError, NotImplementedError, ValueError, TypeError):
            return False
        tolerance = 8 * torch.finfo(next(iter(alone.values())).dtype).eps ** 0.5
        return _length({name: together[name] - alone[name] for name in moving}) <= tolerance * _length(alone)

    gradients = at_once if once_a_model(model, f"per-example gradients of {sorted(moving)}", agree) else one_by_one
    bytes_of_gradient = sum(tensor.numel() * tensor.element_size() for tensor in moving.values())
    size = max(1, MEMORY_BUDGET // bytes_of_gradient)
    for x, y in zip(inputs.split(size), labels.split(size), strict=True):
        yield gradients(x, y)


def _at_once(model: nn.Module, values: State, moving: State, loss: Loss, x: Tensor, y: Tensor) -> Gradients:
    def loss_of_example(parameters: State, x: Tensor, y: Tensor) -> Tensor:
        return loss(call(model, {**values, **parameters}, x[None]), y[None])[0]

    with torch.enable_grad(), evaluation(model):
        gradients: Gradients = vmap(grad(loss_of_example), in_dims=(None, 0, 0))(moving, x, y)
    return gradients


def _one_by_one(model: nn.Module, values: State, moving: State, loss: Loss, x: Tensor, y: Tensor) -> Gradients:
    each = list(gradients_one_by_one(model, values, list(moving), x, y, loss))
    return {name: torch.stack([gradients[name] for gradients in each]) for name in moving}


def _length(gradients: Gradients) -> float:
    """The Euclidean length of all numbers together."""
    return float(torch.stack([in_float64(tensor).norm() for tensor in gradients.values()]).norm())
