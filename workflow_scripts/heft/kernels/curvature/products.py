"""Products of the Gauss-Newton matrix and of the Hessian with a direction, batch by batch.

G = (1/n) sum_i J_i^T (diag p_i - p_i p_i^T) J_i,   J_i = dlogits_i / dtheta, p_i = softmax(logits_i)
H = G + (1/n) sum_i sum_c (p_ic - 1[c = y_i]) d2 logits_ic / dtheta2

Both take the parameters that the direction names, one tensor each; the others stand still.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import grad, jvp
from torch.nn import functional

from heft.kernels.calling import call, while_holding
from heft.kernels.directional import layer_error
from heft.kernels.functional import Direction, State, evaluation, values_of
from heft.kernels.reverse import gradients_by
from heft.kernels.tangents import TangentRules, TwiceDifferentiable, logits_jvp
from heft.kernels.ways import Way, double_backward, way_of

Total = Callable[[nn.Module, Mapping[str, Tensor], slice], Tensor]  # (model, leaves, rows) -> a sum over those rows


def gauss_newton_product(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """G u for u = direction, one tensor a parameter: forward with tangents, a small product there, and back.

    Raises HeftError naming the layer where the model has neither forward mode nor a double backward pass.
    """
    values = values_of(model, state)
    way = way_of(model, values, inputs)

    def total(_held: nn.Module, leaves: Mapping[str, Tensor], rows: slice) -> Tensor:
        moving, batch = {**values, **leaves}, inputs[rows]
        if way is Way.DOUBLE_BACKWARD:
            logits, tangent = double_backward(model, moving, direction, batch)
        else:
            logits, tangent = _jvp_naming_layer(model, moving, direction, batch, TangentRules())
        p, tangent = logits.detach().softmax(dim=-1), tangent.detach()
        return (logits * p * (tangent - (p * tangent).sum(dim=-1, keepdim=True))).sum()

    return _mean_gradient(total, model, values, direction, len(inputs), batch_size)


def hessian_product(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, labels: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """H u for u = direction, one tensor a parameter: the gradient of the loss's derivative along u, which is
    sum_i (p_i - 1[y_i]) . dlogits_i, back through logits and tangents. Fastest; wrong where torch takes a part of a
    tangent for a constant (the statistics of LayerNorm and InstanceNorm).
    """
    values = values_of(model, state)

    def total(_held: nn.Module, leaves: Mapping[str, Tensor], rows: slice) -> Tensor:
        rules = TangentRules(keeps_graph=True)
        logits, tangent = _jvp_naming_layer(model, {**values, **leaves}, direction, inputs[rows], rules)
        chosen = tangent.gather(1, labels[rows, None])
        return (logits.softmax(dim=-1) * tangent).sum() - chosen.sum()

    return _mean_gradient(total, model, values, direction, len(inputs), batch_size)


def hessian_product_forward_over_reverse(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, labels: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """H u in the other order, the tangent of the gradient: up to twice as slow; right with LayerNorm and a softmax."""
    values = values_of(model, state)
    moving = {name: values[name] for name in direction}
    total = {name: torch.zeros_like(tensor) for name, tensor in direction.items()}

    def summed(parameters: State, x: Tensor, y: Tensor) -> Tensor:
        logits = call(model, {**values, **parameters}, x)
        return functional.cross_entropy(logits, y, reduction="sum")

    for x, y in zip(inputs.split(batch_size), labels.split(batch_size), strict=True):
        with torch.enable_grad(), evaluation(model):
            tangents: Any = jvp(grad(partial(summed, x=x, y=y)), (moving,), (dict(direction),))[1]
        for name, tensor in tangents.items():
            total[name] += tensor.detach()
    return {name: tensor / len(inputs) for name, tensor in total.items()}


def hessian_product_by_double_backward(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, labels: Tensor, batch_size: int
) -> dict[str, Tensor]:
    """H u as the gradient of <grad l, u>: slowest and largest; has the gradients of training, whatever they are."""
    values = values_of(model, state)

    def total(held: nn.Module, leaves: Mapping[str, Tensor], rows: slice) -> Tensor:
        with TwiceDifferentiable():
            loss = functional.cross_entropy(held(inputs[rows]), labels[rows], reduction="sum")
        if not loss.requires_grad:
            return loss
        gradients = torch.autograd.grad(loss, list(leaves.values()), create_graph=True, allow_unused=True)
        pairs = zip(gradients, direction.values(), strict=True)
        return sum(((g * u).sum() for g, u in pairs if g is not None), torch.zeros((), device=loss.device))

    return _mean_gradient(total, model, values, direction, len(inputs), batch_size)


def _jvp_naming_layer(
    model: nn.Module, values: State, direction: Direction, batch: Tensor, rules: TangentRules
) -> tuple[Tensor, Tensor]:
    """`logits_jvp`, with an error that names the layer."""
    run = partial(logits_jvp, model, values, direction, batch, rules)
    try:
        return run()
    except (RuntimeError, NotImplementedError) as error:
        raise layer_error(model, run, error) from error


def _mean_gradient(
    total: Total, model: nn.Module, values: State, direction: Direction, n: int, batch_size: int
) -> dict[str, Tensor]:
    """(1/n) grad_theta of the total, summed over batches of rows; for the parameters of the direction."""
    leaves = {name: values[name].detach().requires_grad_() for name in direction}
    summed = {name: torch.zeros_like(tensor) for name, tensor in direction.items()}

    def run(held: nn.Module, rows: slice) -> None:
        gradients = gradients_by(total(held, leaves, rows), leaves.values())
        for name, gradient in zip(leaves, gradients, strict=True):
            if gradient is not None:
                summed[name] += gradient

    with torch.enable_grad(), evaluation(model):
        for start in range(0, n, batch_size):
            rows = slice(start, start + batch_size)
            while_holding(model, {**values, **leaves}, partial(run, rows=rows))
    return {name: tensor / n for name, tensor in summed.items()}
