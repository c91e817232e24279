"""The Gauss-Newton matrix or the Hessian of the mean cross-entropy over the training set, on flat vectors.

The Gauss-Newton matrix is positive semi-definite at any parameters and needs no labels.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.curvature_products import (
    gauss_newton_product,
    hessian_product,
    hessian_product_forward_over_reverse,
    runs_back_through_tangents,
)
from heft.kernels.functional import Direction, State, batch_size_for

CURVATURES = ("gauss_newton", "hessian")
Operator = Callable[[Tensor], Tensor]  # vector [n_parameters] -> matrix vector [n_parameters]


def curvature_operator(
    curvature: str, model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction
) -> Operator:
    """vector -> A vector on flat vectors [n_parameters], ordered as `like`; curvature: `gauss_newton` or `hessian`."""
    if curvature not in CURVATURES:
        raise HeftError(f'curvature is "{curvature}"; it must be one of {", ".join(CURVATURES)}.')
    size = batch_size_for(model, state, inputs)
    hessian = hessian_product
    if curvature == "hessian" and not runs_back_through_tangents(model, state, inputs, labels, like):
        hessian = hessian_product_forward_over_reverse

    def product(vector: Tensor) -> Tensor:
        direction = unflatten(vector, like)
        if curvature == "hessian":
            return flatten(hessian(model, state, direction, inputs, labels, size))
        return flatten(gauss_newton_product(model, state, direction, inputs, size))

    return product


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
