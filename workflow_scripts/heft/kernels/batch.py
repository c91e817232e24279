"""Labelled examples, as methods and objectives are given them."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Labelled(NamedTuple):
    """Inputs [n, ...] and labels int64 [n]."""

    inputs: Tensor
    labels: Tensor


class Batch(Labelled):
    """Inputs [n, ...] and labels int64 [n], to which it unpacks; `groups`: int64 [n], `None` where they are unknown.

    units: int64 [n], examples of one unit tell nothing independent of one another; `None` where each is one of its own.
    """

    groups: Tensor | None = None
    units: Tensor | None = None

    def __new__(
        cls, inputs: Tensor, labels: Tensor, groups: Tensor | None = None, units: Tensor | None = None
    ) -> "Batch":
        made = super().__new__(cls, inputs, labels)
        made.groups, made.units = groups, units
        return made

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        groups, units = (None if part is None else part.to(device) for part in (self.groups, self.units))
        return Batch(self.inputs.to(device), self.labels.to(device), groups, units)

    def pieces(self, size: int) -> "Iterator[Batch]":
        """The batch in pieces of at most `size` examples, in its order."""
        for start in range(0, len(self.labels), size):
            rows = slice(start, start + size)
            yield Batch(self.inputs[rows], self.labels[rows], None if self.groups is None else self.groups[rows])
