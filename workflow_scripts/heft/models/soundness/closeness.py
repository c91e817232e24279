"""How far two computations of the same tensor are apart, and when that is no more than rounding.

`is_close` allows what a deep network of another order of sums leaves; `tolerance` what one sum in another order does.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

# Relative to the largest entry: what sums in another order leave in a deep network.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}


def rounding_of(tensors: Iterable[Tensor]) -> float:
    """The relative error that the coarsest floating type among the tensors allows."""
    return max((_ROUNDING.get(tensor.dtype, 0.2) for tensor in tensors if tensor.is_floating_point()), default=0.0)


def is_close(left: Tensor, right: Tensor, tolerance: float) -> bool:
    """Whether the largest difference is at most `tolerance` times the largest entry; whole numbers are the same."""
    if not left.is_floating_point() or left.numel() == 0:
        return torch.equal(left, right)
    left, right = (part.cpu().double().nan_to_num() for part in (left, right))
    scale = torch.maximum(left.abs().max(), right.abs().max())
    return bool((left - right).abs().max() <= tolerance * scale)


def distance(left: Tensor, right: Tensor) -> float:
    """The largest difference of two entries; equal ones that are not finite do not differ."""
    if left.shape != right.shape:
        return math.inf
    left, right = left.detach(), right.detach()
    if torch.equal(left, right):
        return 0.0
    if left.is_floating_point() and math.isfinite(largest := size(left - right)):
        return largest
    different = (left != right) & ((left == left) | (right == right))
    if not different.any():
        return 0.0
    wide = torch.complex128 if left.is_complex() else torch.float64
    return size(left[different].cpu().to(wide) - right[different].cpu().to(wide))


def size(tensor: Tensor) -> float:
    """The largest entry by size; infinite where one is NaN."""
    if not tensor.numel():
        return 0.0
    largest = float(tensor.detach().abs().max())
    return math.inf if math.isnan(largest) else largest


def tolerance(expected: Tensor) -> float:
    """What another order of the same sums may change."""
    return math.sqrt(rounding(expected)) * size(expected)


def rounding(tensor: Tensor) -> float:
    """The relative rounding error of the tensor's type."""
    return torch.finfo(tensor.dtype).eps
