"""Rows of a table that are equal but for the rounding of their numbers."""

import numpy as np

from heft.data.near.components import NO_PAIRS

TOLERANCE = 1e-5  # of a column's standard deviation
MOST_COMPARED = 50  # rows that come next in the order of a projection


def similar_rows(inputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Pairs of places in `rows` [m, 2] whose values, `inputs[row]` [features], are near-duplicates.

    That is: missing where the other's are, and else apart by at most 0.00001 of the column's standard deviation.
    Rows are compared that come next to one another in the order of a random projection, which near-duplicates do.
    """
    values = np.asarray(inputs[rows], np.float64)
    missing = np.isnan(values)
    known = np.maximum((~missing).sum(axis=0), 1)
    centred = np.where(missing, 0.0, values - np.where(missing, 0.0, values).sum(axis=0) / known)
    spread = np.sqrt((centred**2).sum(axis=0) / known)
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    columns = np.concatenate([scaled, missing], axis=1)
    weights = np.random.default_rng(0).uniform(0.5, 1.0, size=(columns.shape[1],))
    weights[::2] *= -1
    position = columns @ weights
    order = np.argsort(position, kind="stable")
    reach, found = TOLERANCE * np.abs(weights).sum() * (1 + 1e-6), [NO_PAIRS]
    for step in range(1, min(MOST_COMPARED, len(rows) - 1) + 1):
        near = np.flatnonzero(position[order[step:]] - position[order[:-step]] <= reach)
        if not len(near):
            break
        first, second = order[near], order[near + step]
        equal = (np.abs(columns[first] - columns[second]) <= TOLERANCE).all(axis=1)
        found.append(np.stack([first[equal], second[equal]], axis=1))
    pairs: np.ndarray = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    return pairs
