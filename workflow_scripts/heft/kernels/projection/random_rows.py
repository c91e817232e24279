"""A random matrix for projections, by blocks of rows that can be drawn anywhere, and again."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from heft.devices import CPU
from heft.kernels.functional import MEMORY_BUDGET, Direction

BLOCK = 16  # rows that are drawn at once
FEWEST_ROWS, ROWS_BUDGET = 32, 2 * MEMORY_BUDGET  # that are held at once: as many as fit, in bytes of float32


@dataclass(frozen=True)
class RandomRows:
    """P [dimension, D] with entries N(0, 1) and a column for each entry of `like`; never held whole.

    Each block of 16 rows of each parameter has a random generator of its own: that which begins with row `start` at
    the parameter `name` comes from stream(f"{name}/{start}"), which must be the same on every call.
    """

    like: Direction
    dimension: int
    stream: Callable[[str], torch.Generator]

    @property
    def n_columns(self) -> int:
        """D."""
        return sum(tensor.numel() for tensor in self.like.values())

    @property
    def n_held(self) -> int:
        """How many rows are held at once: a function of shapes alone."""
        return min(max(FEWEST_ROWS, ROWS_BUDGET // (4 * self.n_columns) // BLOCK * BLOCK), self.dimension)

    def blocks(self, start: int = 0, n_rows: int | None = None) -> list[slice]:
        """The blocks of rows from `start`, which begins one, on: all, or the next `n_rows`."""
        stop = self.dimension if n_rows is None else min(start + n_rows, self.dimension)
        return [slice(first, min(first + BLOCK, stop)) for first in range(start, stop, BLOCK)]

    def draw(self, name: str, block: slice, out: Tensor) -> Tensor:
        """The block's rows at a parameter [k, *its shape], written to the beginning of `out`, which may be longer.

        They are drawn on the CPU, so that all devices have the same, and for another device held there once more.
        """
        rows, stream = out[: block.stop - block.start], self.stream(f"{name}/{block.start}")
        if rows.device == CPU:
            return rows.normal_(generator=stream)
        return rows.copy_(torch.empty(rows.shape, dtype=rows.dtype, device=CPU).normal_(generator=stream))


def products(drawn: Direction, v: Direction) -> Tensor:
    """<p_k, v> for some rows p_k of the matrix, by parameter [k, *its shape]: [k]."""
    each = [drawn[name].reshape(-1, tensor.numel()) @ tensor.flatten() for name, tensor in v.items()]
    return torch.stack(each).sum(dim=0)
