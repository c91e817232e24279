"""Random inputs that a model is tried on."""

from collections.abc import Sequence

import torch
from torch import Tensor

SEED = 20240517


def random_inputs(n: int, input_shape: Sequence[int], seed: int = SEED) -> Tensor:
    """Inputs float32 [n, *input_shape] of different scales and means, so that a branch on either takes both ways."""
    generator = torch.Generator().manual_seed(seed)
    column = (n, *(1 for _ in input_shape))
    scale = torch.tensor([1.0, 3.0, 0.5]).repeat(n)[:n].view(column)
    shift = torch.tensor([0.0, 1.0, -1.0]).repeat(n)[:n].view(column)
    return scale * torch.randn(n, *input_shape, generator=generator) + shift


def unit_inputs(n: int, input_shape: Sequence[int], seed: int = SEED) -> Tensor:
    """Inputs float32 [n, *input_shape] in 0..1, for models that take no others, such as counts or pixels."""
    return torch.rand(n, *input_shape, generator=torch.Generator().manual_seed(seed))
