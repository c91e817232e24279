"""Vector-Jacobian products in reverse mode: gradients of functions of the logits."""

from collections.abc import Callable, Collection, Iterable, Iterator

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.functional import Loss, State, evaluation, values_of, while_holding
from heft.kernels.selection import trainable_parameters


def vector_jacobian(
    model: nn.Module,
    state: State,
    pairs: Iterable[tuple[Tensor, Tensor | Callable[[Tensor], Tensor]]],
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """sum_i J_i^T c_i over batches of (inputs [b, ...], cotangents c [b, n_classes]): one tensor a parameter.

    In the place of cotangents may stand a function that makes them of the batch's logits, which have no gradient there.
    With c_i = df/dlogits_i it is the gradient of f. A parameter that the logits do not depend on gets zeros.
    names: of the parameters that are looked at, in their order; None: all that require a gradient.
    """
    values = values_of(model, state)
    parameters = {
        name: values[name].requires_grad_() for name in (trainable_parameters(model) if names is None else names)
    }
    total = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
    with torch.enable_grad(), evaluation(model):
        for inputs, cotangents in pairs:

            def run(held: nn.Module, x: Tensor = inputs, c: Tensor | Callable[[Tensor], Tensor] = cotangents) -> None:
                logits = held(x)
                given = c if isinstance(c, Tensor) else c(logits.detach())
                for name, gradient in zip(parameters, _gradients(logits, parameters.values(), given), strict=True):
                    if gradient is not None:
                        total[name] += gradient

            while_holding(model, values, run)
    return total


def gradients_one_by_one(
    model: nn.Module, state: State, names: Collection[str], inputs: Tensor, labels: Tensor, loss: Loss
) -> Iterator[dict[str, Tensor]]:
    """grad l_i by the parameters of `names`, one example after the other; zeros where there is none.

    Raises HeftError where torch has no gradient of the model.
    """
    values = values_of(model, state)
    parameters = {name: values[name].requires_grad_() for name in names}

    def run(held: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor | None, ...]:
        return _gradients(loss(held(x), y), parameters.values(), None)

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


def _gradients(outputs: Tensor, leaves: Iterable[Tensor], cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
    """By each leaf; None where the outputs do not depend on it."""
    leaves = list(leaves)
    if not outputs.requires_grad:
        return (None,) * len(leaves)
    return torch.autograd.grad(outputs, leaves, cotangents, allow_unused=True)
