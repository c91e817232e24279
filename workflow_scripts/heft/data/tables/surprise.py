"""How surprising the values of a row are among those of their columns."""

import numpy as np


def surprise_of(column: np.ndarray, chosen: np.ndarray, is_category: bool) -> np.ndarray:
    """Nats beyond what a value of the column has on average, [len(chosen)]: of categories, and of a missing value among
    known ones, by how rare they are; of numbers as of a normal distribution, by standard deviations from the mean.

    column: float64 [n], NaN where missing. chosen: some of its values.
    """
    if is_category:
        return _of_rarity(np.where(np.isnan(column), -1, column), np.where(np.isnan(chosen), -1, chosen))
    gone, known = np.isnan(column), column[~np.isnan(column)]
    spread = known.std() if len(known) else 0.0
    squared = ((chosen - known.mean()) / spread) ** 2 if spread > 0 else np.ones(len(chosen))
    return np.where(np.isnan(chosen), _of_rarity(gone, np.isnan(chosen)), (squared - 1) / 2)


def _of_rarity(column: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """-log of the share of the column that is equal, less its mean over the column."""
    values, counts = np.unique(column, return_counts=True)
    nats = -np.log(counts / counts.sum())
    places = np.clip(np.searchsorted(values, chosen), 0, len(values) - 1)
    rarity: np.ndarray = nats[places] - (counts / counts.sum() * nats).sum()
    return rarity
