"""Folds that keep units whole, such as the examples of one patient, and spread classes as evenly as these allow."""

from collections.abc import Mapping

import numpy as np

from heft.errors import HeftError


def whole_folds(
    order: np.ndarray, labels: np.ndarray, units: np.ndarray | None, first: Mapping[int, int], n_folds: int
) -> np.ndarray:
    """The fold of each example, int64 [n] in 0..n_folds-1.

    Units of several examples come first, the largest before the others: each goes where the squares of the shares that
    the folds have of each class then add up to least. After them the single examples of each class are dealt, one to
    the fold that has the fewest of it.

    order [n]: rows in the order in which they are dealt. units: int64 [n]; None where each example is one of its own.
    first: {label: the fold at which its dealing begins}. Raises HeftError where all examples are one unit.
    """
    fold_of = np.full(len(labels), -1)
    counts = np.zeros((n_folds, labels.max(initial=0) + 1), np.int64)
    of_class = np.bincount(labels)
    for members in _several(order, units):
        classes = labels[members]
        rise = (counts[:, classes] / of_class[classes] ** 2).sum(axis=1)
        fold = np.lexsort((_turns(first[int(classes[0])], n_folds), counts.sum(axis=1), rise))[0]
        fold_of[members] = fold
        np.add.at(counts[fold], classes, 1)
    dealt = order[fold_of[order] < 0]
    for label in np.unique(labels[dealt]).tolist():
        members = dealt[labels[dealt] == label]
        # A place for each count that a fold may have before it gets one more; the lowest ones are taken.
        before = counts[:, label, None] + np.arange(len(members))
        turns = np.repeat(_turns(first[label], n_folds), len(members))
        fold_of[members] = np.lexsort((turns, before.ravel()))[: len(members)] // len(members)
    return fold_of


def _turns(first: int, n_folds: int) -> np.ndarray:
    """When each fold's turn is, of those that are alike."""
    return (np.arange(n_folds) - first) % n_folds


def _several(order: np.ndarray, units: np.ndarray | None) -> list[np.ndarray]:
    """The rows of each unit of several examples, larger units first, those of one size by `order`."""
    if units is None:
        return []
    _, first, number, sizes = np.unique(units[order], return_index=True, return_inverse=True, return_counts=True)
    if len(sizes) == 1 and len(order) > 1:
        raise HeftError(
            f"all {len(order)} training examples are one group, or near-duplicates of one another; folds that keep "
            "these together need at least two."
        )
    by_unit = np.split(order[np.argsort(number, kind="stable")], np.cumsum(sizes)[:-1])
    return [by_unit[unit] for unit in np.lexsort((first, -sizes)) if sizes[unit] > 1]
