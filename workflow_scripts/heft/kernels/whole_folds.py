"""Folds that keep units whole, such as the examples of one patient, and spread classes as evenly as these allow."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heft.devices import CPU
from heft.errors import HeftError


def whole_folds(order: Tensor, labels: Tensor, units: Tensor | None, first: Mapping[int, int], n_folds: int) -> Tensor:
    """The fold of each example, int64 [n] in 0..n_folds-1, on the CPU, where all arguments are.

    Units of several examples come first, the largest before the others: each goes where the squares of the shares that
    the folds have of each class then add up to least. After them the single examples of each class are dealt, one to
    the fold that has the fewest of it.

    order [n]: rows in the order in which they are dealt. units: int64 [n]; None where each example is one of its own.
    first: {label: the fold at which its dealing begins}. Raises HeftError where all examples are one unit.
    """
    fold_of = torch.full((len(labels),), -1, device=CPU)
    of_class = torch.bincount(labels)
    counts = torch.zeros(n_folds, len(of_class), dtype=torch.int64, device=CPU)
    for members in _several(order, units):
        classes = labels[members]
        rise = (counts[:, classes] / of_class[classes].double() ** 2).sum(dim=1).tolist()
        sizes, turns = counts.sum(dim=1).tolist(), _turns(first[int(classes[0])], n_folds).tolist()
        fold = min(range(n_folds), key=list(zip(rise, sizes, turns, strict=True)).__getitem__)
        fold_of[members] = fold
        counts[fold] += torch.bincount(classes, minlength=len(of_class))
    dealt = order[fold_of[order] < 0]
    for label in labels[dealt].unique().tolist():
        members = dealt[labels[dealt] == label]
        # A place for each count that a fold may have before it gets one more; the lowest ones are taken.
        before = counts[:, label, None] + torch.arange(len(members), device=CPU)
        rank = before * n_folds + _turns(first[label], n_folds)[:, None]
        fold_of[members] = rank.flatten().argsort()[: len(members)] // len(members)
    return fold_of


def _turns(first: int, n_folds: int) -> Tensor:
    """When each fold's turn is, of those that are alike."""
    return (torch.arange(n_folds, device=CPU) - first) % n_folds


def _several(order: Tensor, units: Tensor | None) -> list[Tensor]:
    """The rows of each unit of several examples, larger units first, those of one size by `order`."""
    if units is None:
        return []
    found, number, counted = torch.unique(units[order], return_inverse=True, return_counts=True)
    if len(found) == 1 and len(order) > 1:
        raise HeftError(
            f"all {len(order)} training examples are one group, or near-duplicates of one another; folds that keep "
            "these together need at least two."
        )
    by_unit, sizes = order[number.argsort(stable=True)].split(counted.tolist()), counted.tolist()
    places = torch.arange(len(order), device=CPU)
    first = places.new_zeros(len(found)).scatter_reduce(0, number, places, "amin", include_self=False).tolist()
    return [by_unit[unit] for unit in sorted(range(len(found)), key=lambda u: (-sizes[u], first[u])) if sizes[unit] > 1]
