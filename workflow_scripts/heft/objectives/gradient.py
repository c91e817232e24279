"""The gradient of an objective with respect to the parameters."""

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.functional import State, batch_size_for, logits_of
from heft.kernels.reverse import vector_jacobian

Objective = Callable[[Tensor, Tensor], Tensor]  # (logits [m, n_classes], labels [m]) -> scalar, lower is better


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
    logits = logits_of(model, state, inputs, size).requires_grad_()
    with torch.enable_grad():
        value = objective(logits, labels)
        (cotangents,) = torch.autograd.grad(value, logits)
    if not (torch.isfinite(value) and torch.isfinite(cotangents).all()):
        raise HeftError(
            f"The objective on the validation split ({value.item():g}) or its gradient is not finite; "
            "check that training did not diverge."
        )
    return vector_jacobian(model, state, zip(inputs.split(size), cotangents.split(size), strict=True), names)
