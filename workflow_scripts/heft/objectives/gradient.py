"""The gradient of an objective with respect to the parameters."""

from collections.abc import Callable, Collection
from functools import partial

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.functional import State, batch_size_for, logits_of
from heft.kernels.reverse import vector_jacobian

Objective = Callable[[Tensor, Tensor], Tensor]  # (logits [m, n_classes], labels [m]) -> scalar, lower is better
_MEANS: set[Objective] = set()


def mean_over_examples(objective: Objective) -> Objective:
    """Declares that an objective is the mean of what it gives for each example alone, which saves a forward pass."""
    _MEANS.add(objective)
    return objective


def objective_gradient(
    objective: Objective,
    model: nn.Module,
    state: State,
    inputs: Tensor,
    labels: Tensor,
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """grad f(theta), one tensor a parameter (of `names`, or all), in evaluation mode.

    f sees all logits at once, so it need not be a mean; the way from logits to parameters goes batch by batch.
    Raises HeftError where f or its gradient is not finite.
    """
    size = batch_size_for(model, state, inputs)
    if objective in _MEANS:
        pairs = [
            (x, partial(_finite_cotangents, objective, labels=y, share=len(y) / len(labels)))
            for x, y in zip(inputs.split(size), labels.split(size), strict=True)
        ]
        return vector_jacobian(model, state, pairs, names)
    cotangents = _finite_cotangents(objective, logits_of(model, state, inputs, size), labels)
    return vector_jacobian(model, state, zip(inputs.split(size), cotangents.split(size), strict=True), names)


def _finite_cotangents(objective: Objective, logits: Tensor, labels: Tensor, share: float = 1.0) -> Tensor:
    """share * df/dlogits."""
    with torch.enable_grad():
        leaf = logits.requires_grad_()
        value = objective(leaf, labels)
        (cotangents,) = torch.autograd.grad(share * value, leaf)
    if not (torch.isfinite(value) and torch.isfinite(cotangents).all()):
        raise HeftError(
            f"The objective on the validation split ({value.item():g}) or its gradient is not finite; "
            "check that training did not diverge."
        )
    return cotangents
