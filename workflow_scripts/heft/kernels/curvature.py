"""Products with the Gauss-Newton matrix or the Hessian of the mean cross-entropy over the training set.

G = (1/n) sum_i J_i^T (diag p_i - p_i p_i^T) J_i,   J_i = dlogits_i / dtheta, p_i = softmax(logits_i)
H = G + (1/n) sum_i sum_c (p_ic - 1[c = y_i]) d2 logits_ic / dtheta2

G is positive semi-definite at any parameters and needs no labels. Both take the parameters that the direction names;
the others stand still.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.autograd.forward_ad as forward_ad
from torch import Tensor, nn
from torch.func import functional_call

from heft.errors import HeftError
from heft.kernels.directional import LinearRule, layer_error
from heft.kernels.functional import Direction, State, batch_size_for, buffers_of, evaluation, parameters_of

CURVATURES = ("gauss_newton", "hessian")
Operator = Callable[[Tensor], Tensor]  # vector [n_parameters] -> matrix vector [n_parameters]


def curvature_operator(
    curvature: str, model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction
) -> Operator:
    """vector -> A vector on flat vectors [n_parameters], ordered as `like`; curvature: `gauss_newton` or `hessian`."""
    if curvature not in CURVATURES:
        raise HeftError(f'curvature is "{curvature}"; it must be one of {", ".join(CURVATURES)}.')
    size = batch_size_for(model, state, inputs)

    def product(vector: Tensor) -> Tensor:
        direction = unflatten(vector, like)
        if curvature == "hessian":
            return flatten(hessian_product(model, state, direction, inputs, labels, size))
        return flatten(gauss_newton_product(model, state, direction, inputs, size))

    return product


def gauss_newton_product(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, batch_size: int | None = None
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
    batch_size: int | None = None,
) -> dict[str, Tensor]:
    """H u for u = direction, one tensor a parameter: the gradient of the loss's derivative along u, which is
    sum_i (p_i - 1[y_i]) . dlogits_i, back through logits and tangents.
    """

    def scalar(logits: Tensor, tangent: Tensor, rows: slice) -> Tensor:
        chosen = tangent.gather(1, labels[rows, None])
        return (logits.softmax(dim=-1) * tangent).sum() - chosen.sum()

    return _mean_gradient(scalar, model, state, direction, inputs, batch_size, LinearRule(keeps_graph=True))


def _mean_gradient(
    scalar: Callable[[Tensor, Tensor, slice], Tensor],
    model: nn.Module,
    state: State,
    direction: Direction,
    inputs: Tensor,
    batch_size: int | None,
    rule: LinearRule,
) -> dict[str, Tensor]:
    """(1/n) grad_theta of scalar(logits, tangent, rows), summed over batches; for the parameters of the direction."""
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    leaves = {name: parameters[name].requires_grad_() for name in direction}
    total = {name: torch.zeros_like(tensor) for name, tensor in direction.items()}
    size = batch_size or batch_size_for(model, state, inputs)
    for start in range(0, len(inputs), size):
        rows = slice(start, start + size)
        run = partial(_push, model, {**parameters, **buffers}, leaves, direction, inputs[rows], rule)
        with torch.enable_grad(), evaluation(model):
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


def dense_matrix(product: Operator, like: Tensor) -> Tensor:
    """The matrix [d, d] of an operator, column by column, made symmetric."""
    matrix = torch.stack([product(row) for row in torch.eye(len(like), dtype=like.dtype)])
    return (matrix + matrix.T) / 2


def flatten(direction: Direction) -> Tensor:
    """All entries as one vector [n_parameters], in the order of the direction."""
    return torch.cat([tensor.reshape(-1) for tensor in direction.values()])


def unflatten(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `flatten`, with the names and shapes of `like`."""
    parts = vector.split([tensor.numel() for tensor in like.values()])
    return {name: part.view_as(tensor) for (name, tensor), part in zip(like.items(), parts, strict=True)}
