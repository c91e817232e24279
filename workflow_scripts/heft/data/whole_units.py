"""Draws a split of whole units, such as the examples of one patient, near to a size and to shares of classes."""

import numpy as np

from heft.errors import HeftError

# Sizes are met within this share of what was asked: 0.5 where units are as large as a split; mostly within an example.
TOLERANCE = 0.5
MOST_EXCHANGES = 300
MOST_KINDS = 500  # of units, that are compared with as many others; of more, the smallest
NOTHING = -1  # the place of a unit without examples


class Draw:
    """Chooses units for one split.

    counts: examples of each class in each unit, [n_units, n_classes], in the order in which they are tried. target
    [n_classes]: how many of each class the split wants. n_later: splits that are drawn from what is left; of a class,
    as many units stay for those, where there are that many.
    """

    def __init__(self, counts: np.ndarray, target: np.ndarray, n_later: int) -> None:
        self.counts, self.missing = counts, target.astype(np.int64)
        self.has, self.sizes = counts > 0, counts.sum(axis=1)
        self.kinds = np.unique(counts, axis=0, return_inverse=True)[1].reshape(-1)  # units of equal counts
        self.left = self.has.sum(axis=0)
        self.reserved = np.minimum(n_later, self.left - 1)
        self.chosen = np.zeros(len(counts), bool)

    def take(self, unit: int, sign: int = 1) -> None:
        """Chooses a unit, or, if `sign` is -1, gives one back."""
        self.chosen[unit] = sign > 0
        self.left, self.missing = self.left - sign * self.has[unit], self.missing - sign * self.counts[unit]

    def spare(self, units: int | np.ndarray) -> np.ndarray:
        """Whether enough units of each class are left for the later splits without these units, each by itself."""
        enough: np.ndarray = (~self.has[units] | (self.left > self.reserved)).all(axis=-1)
        return enough

    def others(self, among: np.ndarray | bool = True) -> np.ndarray:
        """The units that may be chosen besides."""
        units = np.flatnonzero(~self.chosen & among)
        return units[self.spare(units)]

    def exchangeable(self, units: np.ndarray) -> np.ndarray:
        """The first of each kind among these units, smallest first, and `NOTHING`."""
        first = units[np.sort(np.unique(self.kinds[units], return_index=True)[1])]
        return np.append(first[np.argsort(self.sizes[first], kind="stable")][:MOST_KINDS], NOTHING)


def draw_units(counts: np.ndarray, target: np.ndarray, n_later: int) -> np.ndarray:
    """Places of the units that a split gets, ascending; see `Draw`.

    A unit is taken where the distance to the target becomes less: the sum of squares over classes, and of their sum.
    Then units are exchanged, added or given back while that helps; then, for a class that the split lacks, its smallest
    unit is taken.
    """
    draw = Draw(counts, target, n_later)
    sized = _with_sum(counts)
    squares = (sized**2).sum(axis=1)
    for unit in range(len(counts)):
        if 2 * sized[unit] @ _with_sum(draw.missing) > squares[unit] and draw.spare(unit):
            draw.take(unit)
    for _ in range(MOST_EXCHANGES):
        if not _exchange(draw):
            break
    for label in np.flatnonzero(target).tolist():
        others = draw.others(draw.has[:, label])
        if len(others) and not draw.has[draw.chosen, label].any():
            draw.take(int(others[np.argmin(draw.sizes[others])]))
    return np.flatnonzero(draw.chosen)


def _with_sum(counts: np.ndarray) -> np.ndarray:
    """Counts [..., n_classes] with their sum as a further one; squares of these add up to the distance."""
    return np.concatenate([counts, counts.sum(axis=-1, keepdims=True)], axis=-1)


def _exchange(draw: Draw) -> bool:
    """Puts the one unit, or nothing, in the place of a chosen one, or nothing, that lessens the distance most; False
    where none does."""
    if not draw.missing.any():
        return False
    others, chosen = draw.exchangeable(draw.others()), draw.exchangeable(np.flatnonzero(draw.chosen))
    missing = _with_sum(draw.missing)
    taken, given = (_with_sum(draw.counts[units] * (units != NOTHING)[:, None]) for units in (others, chosen))
    without = missing + given
    after = (without**2).sum(axis=1)[:, None] + (taken**2).sum(axis=1) - 2 * without @ taken.T
    if after.min() >= (missing**2).sum():
        return False
    row, column = np.unravel_index(np.argmin(after), after.shape)
    for unit, sign in ((int(chosen[row]), -1), (int(others[column]), 1)):
        if unit != NOTHING:
            draw.take(unit, sign)
    return True


def check_size(name: str, asked: int, drawn: int, largest: int, example: str) -> None:
    """Raises HeftError where whole units do not come near enough to the size; `example` is one of the largest unit."""
    if drawn == 0 or abs(drawn - asked) > max(1, TOLERANCE * asked):
        raise HeftError(
            f"data.{name}: {asked} examples are asked for, and {drawn} is the nearest that whole groups and sets of "
            f"duplicates come to (the largest has {largest}, {example} among them); ask for another size, or set "
            "data.keep_groups_together or data.near_duplicates to false, or data.duplicates to one."
        )
