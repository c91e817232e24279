"""Texts of different lengths in one array of bytes, without a copy of each."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np


class Texts(Sequence[str]):
    """UTF-8 texts: `content` holds the bytes of all of them, text i those from offsets[i] to offsets[i + 1]."""

    def __init__(self, content: np.ndarray, offsets: np.ndarray) -> None:
        """content: uint8 [n_bytes]. offsets: int64 [n + 1], rising."""
        self._content, self._offsets = content, offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, rows: int) -> str: ...
    @overload
    def __getitem__(self, rows: slice | np.ndarray) -> list[str]: ...

    def __getitem__(self, rows: int | slice | np.ndarray) -> str | list[str]:
        """One text, or those of a slice or of an array of row numbers."""
        if isinstance(rows, slice):
            return [self[row] for row in range(*rows.indices(len(self)))]
        if isinstance(rows, np.ndarray):
            return [self[int(row)] for row in rows]
        if not -len(self) <= rows < len(self):
            raise IndexError(f"row {rows} of {len(self)} texts")
        row = rows % len(self)
        return self._content[self._offsets[row] : self._offsets[row + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        return (self[row] for row in range(len(self)))
