"""A digest of the values of a column, by which two of them are compared."""

import hashlib
from collections.abc import Sequence

import numpy as np


def digest_of_values(column: np.ndarray, words: Sequence[str] | None = None) -> str:
    """The same for each order of rows; words: of categories, whose places [n] the column holds, NaN where missing."""
    values, counts = np.unique(np.asarray(column, np.float64) + 0.0, return_counts=True)
    shown = values.tolist() if words is None else ["" if np.isnan(value) else words[int(value)] for value in values]
    return hashlib.sha256(repr(sorted(zip(map(str, shown), counts.tolist(), strict=True))).encode()).hexdigest()[:12]
