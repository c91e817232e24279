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
    """Inputs [n, ...] and labels int64 [n], to which it unpacks; `groups`: int64 [n], `None` where they are unknown."""

    groups: Tensor | None = None

    def __new__(cls, inputs: Tensor, labels: Tensor, groups: Tensor | None = None) -> "Batch":
        made = super().__new__(cls, inputs, labels)
        made.groups = groups
        return made

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(
            self.inputs.to(device), self.labels.to(device), None if self.groups is None else self.groups.to(device)
        )

    def pieces(self, size: int) -> "Iterator[Batch]":
        """The batch in pieces of at most `size` examples, in its order."""
        for start in range(0, len(self.labels), size):
            rows = slice(start, start + size)
            yield Batch(self.inputs[rows], self.labels[rows], None if self.groups is None else self.groups[rows])
