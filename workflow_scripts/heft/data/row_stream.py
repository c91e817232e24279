"""Inputs that are read one after another, because all of them may not fit into memory."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Unreadable:
    """What stands in the place of an input that cannot be read. reason: why, without the example's id."""

    reason: str


class RowStream(ABC):
    """As many inputs as `len`, each of one `shape` and `dtype`; one that cannot be read leaves the data set."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    notes: Sequence[str] = ()  # sentences on the inputs, complete once all of them were read

    @abstractmethod
    def __len__(self) -> int:
        """How many inputs there are, those that cannot be read included."""

    @abstractmethod
    def read(self, threads: int) -> Iterator[np.ndarray | Unreadable]:
        """Each input in its order, or why it cannot be read; the same whatever the number of threads."""
