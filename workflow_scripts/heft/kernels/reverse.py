"""Vector-Jacobian products in reverse mode: gradients of functions of the logits."""

from collections.abc import Callable, Collection, Iterable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from heft.kernels.functional import State, buffers_of, evaluation, parameters_of


def vector_jacobian(
    model: nn.Module,
    state: State,
    pairs: Iterable[tuple[Tensor, Tensor | Callable[[Tensor], Tensor]]],
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """sum_i J_i^T c_i over batches of (inputs [b, ...], cotangents c [b, n_classes]): one tensor a parameter.

    In the place of cotangents may stand a function that makes them of the batch's logits, which have no gradient there.
    With c_i = df/dlogits_i it is the gradient of f. A parameter that the logits do not depend on gets zeros.
    names: of the parameters that are looked at, in their order; None: all.
    """
    everything, buffers = parameters_of(model, state), buffers_of(model, state)
    parameters = {name: everything[name].requires_grad_() for name in (everything if names is None else names)}
    total = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
    with torch.enable_grad(), evaluation(model):
        for inputs, cotangents in pairs:
            logits = functional_call(model, {**everything, **buffers}, (inputs,))
            given = cotangents if isinstance(cotangents, Tensor) else cotangents(logits.detach())
            gradients = torch.autograd.grad(logits, list(parameters.values()), given, allow_unused=True)
            for name, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    total[name] += gradient
    return total
