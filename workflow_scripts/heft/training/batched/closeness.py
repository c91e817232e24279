"""How far two computations of the same tensor are apart."""

import math

import torch
from torch import Tensor


def distance(one: Tensor, other: Tensor) -> float:
    """The largest difference of two entries; equal ones that are not finite do not differ."""
    if one.shape != other.shape:
        return math.inf
    one, other = one.detach(), other.detach()
    if torch.equal(one, other):
        return 0.0
    if one.is_floating_point() and math.isfinite(largest := size(one - other)):
        return largest
    different = (one != other) & ((one == one) | (other == other))
    if not different.any():
        return 0.0
    wide = torch.complex128 if one.is_complex() else torch.float64
    return size(one[different].to(wide) - other[different].to(wide))


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
