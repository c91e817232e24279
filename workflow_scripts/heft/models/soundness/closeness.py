"""When two tensors are the same up to the rounding of the types that made them."""

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
    left, right = left.double().nan_to_num(), right.double().nan_to_num()
    scale = torch.maximum(left.abs().max(), right.abs().max())
    return bool((left - right).abs().max() <= tolerance * scale)
