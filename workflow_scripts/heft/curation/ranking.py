"""The order in which scored examples leave or are looked at: lowest score first, equal ones as the seed draws."""

import numpy as np

from heft.seeds import derive_seed


def tie_break(ids: np.ndarray, seed: int) -> np.ndarray:
    """The place [n] of each example among those of equal score: a permutation that ids and seed decide.

    It depends on neither the order of `ids` [n] nor on a score: the same for all methods and fractions of a seed.
    """
    places = np.empty(len(ids), dtype=np.int64)
    places[np.argsort(ids, kind="stable")] = np.random.default_rng(derive_seed(seed, "ties")).permutation(len(ids))
    return places


def lowest_first(scores: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Rows [n] by score, lowest first; of equal ones that of the lower `ties` (see `tie_break`) comes first."""
    return np.lexsort((ties, scores))
