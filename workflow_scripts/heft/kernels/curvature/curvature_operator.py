"""The Gauss-Newton matrix or the Hessian of the mean cross-entropy over the training set, on flat vectors.

The Gauss-Newton matrix is positive semi-definite at any parameters and needs no labels.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.curvature.hessian_ways import HessianProduct, right_hessian_product
from heft.kernels.curvature.products import gauss_newton_product, hessian_product
from heft.kernels.curvature.solve import LANCZOS_STEPS, Eigenpair, Operator, leading_eigenpair
from heft.kernels.functional import Direction, State, batch_size_for

CURVATURES = ("gauss_newton", "hessian")
SMALLEST_SAMPLE, LARGEST_SAMPLE = 256, 1024  # examples whose leading eigenvector is near that of the training set
STEPS_IN_SAMPLE, STEPS_FROM_SAMPLE = 8, 6  # products with its matrix, and with the whole one from what they found


class CurvatureOperator:
    """vector -> A vector on flat vectors [n_parameters], ordered as `like`; curvature: `gauss_newton` or `hessian`."""

    def __init__(
        self, curvature: str, model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction
    ) -> None:
        if curvature not in CURVATURES:
            raise HeftError(f'curvature is "{curvature}"; it must be one of {", ".join(CURVATURES)}.')
        self._curvature, self._model, self._state, self._like = curvature, model, state, like
        self._inputs, self._labels = inputs, labels
        self._batch_size = batch_size_for(model, state, inputs)
        self._hessian: HessianProduct = hessian_product
        if curvature == "hessian":
            self._hessian = right_hessian_product(model, state, inputs, labels, like)

    def __call__(self, vector: Tensor) -> Tensor:
        return self._product(vector, slice(None))

    def of_examples(self, rows: Tensor) -> Operator:
        """The matrix of these rows of the training set alone; they are taken at each product, so none is held."""
        return lambda vector: self._product(vector, rows)

    def _product(self, vector: Tensor, rows: slice | Tensor) -> Tensor:
        direction, inputs = unflatten(vector, self._like), self._inputs[rows]
        if self._curvature == "gauss_newton":
            return flatten(gauss_newton_product(self._model, self._state, direction, inputs, self._batch_size))
        labels = self._labels[rows]
        return flatten(self._hessian(self._model, self._state, direction, inputs, labels, self._batch_size))

    def leading_eigenpair(self, start: Tensor) -> Eigenpair:
        """The eigenpair of the largest absolute eigenvalue."""
        start, steps = self.start_and_steps(start)
        return leading_eigenpair(self, start, steps=steps)

    def start_and_steps(self, start: Tensor) -> tuple[Tensor, int]:
        """Where Lanczos's iteration begins, and how many products it takes: few from the leading eigenvector of a drawn
        sample of many examples, always the same; all from `start` where there are few."""
        n = len(self._inputs)
        if n < 4 * SMALLEST_SAMPLE:
            return start, LANCZOS_STEPS
        drawn = torch.randperm(n, generator=torch.Generator().manual_seed(0))
        sample = self.of_examples(drawn.to(self._inputs.device)[: min(LARGEST_SAMPLE, max(SMALLEST_SAMPLE, n // 16))])
        return leading_eigenpair(sample, start, steps=STEPS_IN_SAMPLE).vector, STEPS_FROM_SAMPLE


def dense_matrix(product: Operator, like: Tensor) -> Tensor:
    """The matrix [d, d] of an operator, column by column, made symmetric."""
    matrix = torch.stack([product(row) for row in torch.eye(len(like), dtype=like.dtype, device=like.device)])
    return (matrix + matrix.T) / 2


def flatten(direction: Direction) -> Tensor:
    """All entries as one vector [n_parameters], in the order of the direction."""
    return torch.cat([tensor.reshape(-1) for tensor in direction.values()])


def unflatten(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `flatten`, with the names and shapes of `like`."""
    parts = vector.split([tensor.numel() for tensor in like.values()])
    return {name: part.view_as(tensor) for (name, tensor), part in zip(like.items(), parts, strict=True)}
