"""Spares a trial of a method the eigenvectors of large matrices, whose time grows with the third power of their size.

What a model decides is whether a method's matrices can be made, are finite and fit the layers; all of that still
happens. Which orthogonal matrix then stands for the eigenvectors changes the scores, which a trial does not keep.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

LARGEST = 512  # rows of a matrix whose eigenvectors take no time


class ShortEigenvectors(TorchFunctionMode):
    """In its block `torch.linalg.eigh` takes a large finite matrix for the diagonal one of the same diagonal."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.linalg.eigh and is_large(args[0]) and bool(args[0].isfinite().all()):
            return of_diagonal(args[0])
        return func(*args, **(kwargs or {}))


def is_large(matrix: Tensor) -> bool:
    """Whether the eigenvectors of matrices [..., n, n] take long."""
    return matrix.shape[-1] > LARGEST


def of_diagonal(matrix: Tensor) -> Any:
    """Eigenvalues [..., n], the least first, and eigenvectors [..., n, n] in columns, of the diagonal alone."""
    values, places = matrix.diagonal(dim1=-2, dim2=-1).sort()
    vectors = torch.zeros_like(matrix).scatter_(-2, places[..., None, :], 1.0)
    types: Any = torch.return_types
    return types.linalg_eigh((values, vectors))
