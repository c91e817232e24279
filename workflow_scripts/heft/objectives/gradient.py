"""The value of an objective, and its gradient with respect to the parameters."""

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.calling import while_holding
from heft.kernels.functional import State, batch_size_for, evaluation, values_of
from heft.kernels.reverse import gradients_by
from heft.kernels.selection import trainable_parameters
from heft.objectives.declare import Objective


def objective_value(objective: Objective, model: nn.Module, state: State, batch: Batch) -> Tensor:
    """f(theta) as a scalar without a graph, in evaluation mode."""
    values = values_of(model, state)
    with torch.enable_grad(), evaluation(model):  # an objective may take gradients of its inputs
        return while_holding(model, values, lambda held: _value(objective, held, values, batch)).detach()


def objective_gradient(
    objective: Objective, model: nn.Module, state: State, batch: Batch, names: Collection[str] | None = None
) -> dict[str, Tensor]:
    """grad f(theta), one tensor a parameter (of `names`, or all), in evaluation mode.

    A mean over examples goes batch by batch; any other objective sees the whole batch, and how much memory that takes
    is up to it (`differentiable_logits`). A parameter that f does not depend on gets zeros.
    Raises HeftError where f or its gradient is not finite, is no scalar, or needs what the batch does not have.
    """
    values = values_of(model, state)
    leaves = {name: values[name].requires_grad_() for name in (trainable_parameters(model) if names is None else names)}
    total = {name: torch.zeros_like(tensor) for name, tensor in leaves.items()}

    def gradients(held: nn.Module, piece: Batch) -> Sequence[Tensor | None]:
        value = _value(objective, held, values, piece)
        of_piece = gradients_by(len(piece.labels) / len(batch.labels) * value, leaves.values())
        if not all(torch.isfinite(tensor).all() for tensor in (value, *of_piece) if tensor is not None):
            raise HeftError(
                f"The objective on the validation split ({value.item():g}) or its gradient is not finite; "
                "check that training did not diverge."
            )
        return of_piece

    with torch.enable_grad(), evaluation(model):
        for piece in _pieces(objective, model, state, batch):
            # The backward pass belongs into it: what activation checkpointing computes again must see the same values.
            of_piece = while_holding(model, values, lambda held, piece=piece: gradients(held, piece))  # type: ignore[misc]
            for name, gradient in zip(total, of_piece, strict=True):
                if gradient is not None:
                    total[name] += gradient
    return total


def _pieces(objective: Objective, model: nn.Module, state: State, batch: Batch) -> Iterator[Batch]:
    if getattr(objective, "mean_over_examples", False):
        yield from batch.pieces(batch_size_for(model, state, batch.inputs))
    else:
        yield batch


def _value(objective: Objective, model: nn.Module, values: State, batch: Batch) -> Tensor:
    name = getattr(objective, "__name__", "of this context")
    if "groups" in getattr(objective, "needs", ()) and batch.groups is None:
        raise HeftError(f"The objective {name} needs the group of each validation example; the data have no groups.")
    value = objective(model, values, batch)
    if not isinstance(value, Tensor):
        raise HeftError(f"The objective {name} is a {type(value).__name__}; it must be a tensor of one number.")
    if value.device != (expected := batch.labels.device):
        raise HeftError(f"The objective {name} is on the device {value.device}; it must be on the {expected}.")
    if value.dim():
        raise HeftError(f"The objective {name} is of shape {list(value.shape)}; it must be one number.")
    return value
