"""Products of the Gauss-Newton matrix and of the Hessian with a direction, batch by batch.

G = (1/n) sum_i J_i^T (diag p_i - p_i p_i^T) J_i,   J_i = dlogits_i / dtheta, p_i = softmax(logits_i)
H = G + (1/n) sum_i sum_c (p_ic - 1[c = y_i]) d2 logits_ic / dtheta2

Both take the parameters that the direction names, one tensor each; the others stand still.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.autograd.forward_ad as forward_ad
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp
from torch.nn import functional

from heft.kernels.directional import LinearRule, layer_error
from heft.kernels.functional import Direction, State, buffers_of, evaluation, parameters_of


def gauss_newton_product(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """G u for u = direction, one tensor a parameter: forward with tangents, a small product there, and back."""

    def scalar(logits: Tensor, tangent: Tensor, _rows: slice) -> Tensor:
        p, tangent = logits.detach().softmax(dim=-1), tangent.detach()
        return (logits * p * (tangent - (p * tangent).sum(dim=-1, keepdim=True))).sum()

    return _mean_gradient(scalar, model, state, direction, inputs, batch_size, LinearRule())


def hessian_product(
    model: nn.Module,
    state: State,
    direction: Direction,
    inputs: Tensor,
    labels: Tensor,
    batch_size: int,
) -> dict[str, Tensor]:
    """H u for u = direction, one tensor a parameter: the gradient of the loss's derivative along u, which is
    sum_i (p_i - 1[y_i]) . dlogits_i, back through logits and tangents.
    """

    def scalar(logits: Tensor, tangent: Tensor, rows: slice) -> Tensor:
        chosen = tangent.gather(1, labels[rows, None])
        return (logits.softmax(dim=-1) * tangent).sum() - chosen.sum()

    return _mean_gradient(scalar, model, state, direction, inputs, batch_size, LinearRule(keeps_graph=True))


def runs_back_through_tangents(model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction) -> bool:
    """Whether torch can: its rule for the tangent of a softmax works in place, which a backward pass refuses."""
    try:
        hessian_product(model, state, like, inputs[:2], labels[:2], 2)
    except RuntimeError:
        return False
    return True


def hessian_product_forward_over_reverse(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, labels: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """H u in the other order, the tangent of the gradient: up to twice as slow, for models with a softmax inside."""
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    moving = {name: parameters[name] for name in direction}
    total = {name: torch.zeros_like(tensor) for name, tensor in direction.items()}

    def summed(values: State, x: Tensor, y: Tensor) -> Tensor:
        logits = functional_call(model, {**parameters, **values, **buffers}, (x,))
        return functional.cross_entropy(logits, y, reduction="sum")

    for x, y in zip(inputs.split(batch_size), labels.split(batch_size), strict=True):
        with evaluation(model):
            pushed: Any = jvp(grad(partial(summed, x=x, y=y)), (moving,), (dict(direction),))[1]
        for name, tensor in pushed.items():
            total[name] += tensor.detach()
    return {name: tensor / len(inputs) for name, tensor in total.items()}


def _mean_gradient(
    scalar: Callable[[Tensor, Tensor, slice], Tensor],
    model: nn.Module,
    state: State,
    direction: Direction,
    inputs: Tensor,
    batch_size: int,
    rule: LinearRule,
) -> dict[str, Tensor]:
    """(1/n) grad_theta of scalar(logits, tangent, rows), summed over batches; for the parameters of the direction."""
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    leaves = {name: parameters[name].requires_grad_() for name in direction}
    total = {name: torch.zeros_like(tensor) for name, tensor in direction.items()}
    with torch.enable_grad(), evaluation(model):
        for start in range(0, len(inputs), batch_size):
            rows = slice(start, start + batch_size)
            run = partial(_push, model, {**parameters, **buffers}, leaves, direction, inputs[rows], rule)
            try:
                logits, tangent = run()
            except (RuntimeError, NotImplementedError) as error:
                raise layer_error(model, run, error) from error
            value = scalar(logits, tangent, rows)
            gradients = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
            for name, gradient in zip(leaves, gradients, strict=True):
                if gradient is not None:
                    total[name] += gradient
    return {name: tensor / len(inputs) for name, tensor in total.items()}


def _push(
    model: nn.Module, state: State, leaves: State, direction: Direction, batch: Tensor, rule: LinearRule
) -> tuple[Tensor, Tensor]:
    with forward_ad.dual_level(), rule:
        duals = {name: forward_ad.make_dual(leaves[name], tangent) for name, tangent in direction.items()}
        logits, tangent = forward_ad.unpack_dual(functional_call(model, {**state, **duals}, (batch,)))
    return logits, torch.zeros_like(logits) if tangent is None else tangent
