"""Sets of examples that pairs tie together."""

import numpy as np

NO_PAIRS = np.empty((0, 2), np.int64)


def components(pairs: np.ndarray, n: int) -> np.ndarray:
    """The set that each of `n` examples is in, int64 [n], through pairs [m, 2]; sets count from 0, by first example."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    numbers = connected_components(edges, directed=False)[1]
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    rank: np.ndarray = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    return rank
