"""Plants wrong labels: exactly `round(rate * n)` of them, of one of three kinds."""

from collections.abc import Callable

import numpy as np

from heft.data.principal_components import principal_components
from heft.data.settings import NoiseSettings
from heft.errors import HeftError

# A ball of `clustered` noise holds 1/50 of the examples: at 30 % noise about fifteen balls, each a region of its own.
BALL_FRACTION = 0.02


def plant_noise(
    labels: np.ndarray, inputs: np.ndarray, settings: NoiseSettings, n_classes: int, seed: int
) -> np.ndarray:
    """Given labels, int64 [n]: `labels`, of which exactly round(rate * n) are changed.

    Where labels are the true ones, each that is changed is wrong. Where some are wrong already, which ones does not
    matter to planting: a changed one may be right by chance, and who counts wrong labels compares with the true ones.
    inputs [n, ...] matter to `clustered` alone. Raises HeftError where the rate comes to none or all of the examples,
    where there is one class alone, or where a class has no example.
    """
    if settings.kind == "none":
        return labels.copy()
    n_wrong = settings.n_wrong(len(labels))
    if n_wrong and n_classes < 2:
        raise HeftError(f"data.noise.kind is {settings.kind}, but there is 1 class; a wrong label needs at least 2.")
    absent = sorted(set(range(n_classes)) - set(labels.tolist()))
    if absent:
        raise HeftError(
            f"data.noise.kind is {settings.kind}, but class {absent[0]} of {n_classes} has no training example; "
            "noise is planted among classes that have some."
        )
    return KINDS[settings.kind](labels, inputs, n_wrong, n_classes, np.random.default_rng(seed))


def symmetric(
    labels: np.ndarray, inputs: np.ndarray, n_wrong: int, n_classes: int, generator: np.random.Generator
) -> np.ndarray:
    """Examples drawn uniformly get one of the other classes, each with the same probability."""
    chosen = generator.permutation(len(labels))[:n_wrong]
    given = labels.copy()
    given[chosen] = (labels[chosen] + generator.integers(1, n_classes, size=n_wrong)) % n_classes
    return given


def pairs(
    labels: np.ndarray, inputs: np.ndarray, n_wrong: int, n_classes: int, generator: np.random.Generator
) -> np.ndarray:
    """Class c becomes c + 1 (the last becomes 0), for the same share of each class, as near as whole numbers allow."""
    # Taken from the classes in turn, the example of rank r of n_c stands at (r + u_c) / n_c; the offset u_c, drawn per
    # class, decides who gets the rounding's left-over examples.
    position = np.empty(len(labels))
    for label in range(n_classes):
        members = generator.permutation(np.flatnonzero(labels == label))
        position[members] = (np.arange(len(members)) + generator.random()) / max(len(members), 1)
    chosen = np.argsort(position, kind="stable")[:n_wrong]
    given = labels.copy()
    given[chosen] = (labels[chosen] + 1) % n_classes
    return given


def clustered(
    labels: np.ndarray, inputs: np.ndarray, n_wrong: int, n_classes: int, generator: np.random.Generator
) -> np.ndarray:
    """Balls of nearest neighbours get one class each, so that noise moves a boundary instead of averaging out.

    Until `n_wrong` labels are wrong: a centre is drawn among the examples still right, a class among those that are
    not the centre's; the centre's nearest neighbours, itself included, get that class, passing over those of that
    class (their label would be right) and those already wrong (theirs stands). So each labelled example counts as one
    wrong label, each ball adds at least one, and the last ball stops at the exact number.
    """
    points = principal_components(inputs)
    given = labels.copy()
    ball_size = max(1, round(BALL_FRACTION * len(labels)))
    missing = n_wrong
    while missing:
        centre = generator.choice(np.flatnonzero(given == labels))
        target = (labels[centre] + generator.integers(1, n_classes)) % n_classes
        nearest_first = np.argsort(((points - points[centre]) ** 2).sum(axis=1), kind="stable")
        eligible = nearest_first[(given == labels)[nearest_first] & (labels != target)[nearest_first]]
        ball = eligible[: min(ball_size, missing)]
        given[ball] = target
        missing -= len(ball)
    return given


KINDS: dict[str, Callable[[np.ndarray, np.ndarray, int, int, np.random.Generator], np.ndarray]] = {
    "symmetric": symmetric,
    "pairs": pairs,
    "clustered": clustered,
}
