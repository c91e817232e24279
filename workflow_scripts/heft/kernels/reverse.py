"""Gradients in reverse mode."""

from collections.abc import Collection, Iterable, Iterator

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.calling import while_holding
from heft.kernels.functional import Loss, State, evaluation, values_of


def gradients_one_by_one(
    model: nn.Module, state: State, names: Collection[str], inputs: Tensor, labels: Tensor, loss: Loss
) -> Iterator[dict[str, Tensor]]:
    """grad l_i by the parameters of `names`, one example after the other; zeros where there is none.

    Raises HeftError where torch has no gradient of the model.
    """
    values = values_of(model, state)
    parameters = {name: values[name].requires_grad_() for name in names}

    def run(held: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor | None, ...]:
        return gradients_by(loss(held(x), y), parameters.values())

    for x, y in zip(inputs.split(1), labels.split(1), strict=True):
        try:
            with torch.enable_grad(), evaluation(model):
                gradients = while_holding(model, values, lambda held, x=x, y=y: run(held, x, y))  # type: ignore[misc]
        except (RuntimeError, NotImplementedError) as error:
            reason = str(error).strip().splitlines()[0]
            raise HeftError(f"{type(model).__name__} has no gradient of one example: {reason}") from error
        yield {
            name: torch.zeros_like(tensor) if gradient is None else gradient
            for (name, tensor), gradient in zip(parameters.items(), gradients, strict=True)
        }


def gradients_by(value: Tensor, leaves: Iterable[Tensor]) -> tuple[Tensor | None, ...]:
    """The gradient of a number by each leaf; `None` where the number does not depend on it."""
    leaves = list(leaves)
    if not leaves or not value.requires_grad:
        return (None,) * len(leaves)
    return torch.autograd.grad(value, leaves, allow_unused=True)
