"""How many examples each split gets, and how many of each class."""

from collections.abc import Sequence

import numpy as np

from heft.data.settings import REST, DataSettings
from heft.errors import HeftError


def asked_sizes(settings: DataSettings, parts: Sequence[str], n: int, n_left_out: int = 0) -> dict[str, int]:
    """The size of each of the splits `parts`, which share `n` examples: counts, shares of `n`, or what is left.

    Raises HeftError where they want more than there are, or a split gets none.
    """
    wanted = {name: getattr(settings, name) for name in parts}
    sizes = {name: size for name, size in wanted.items() if isinstance(size, int)}
    shares = {name: size for name, size in wanted.items() if isinstance(size, float)}
    rest = [name for name, size in wanted.items() if size == REST]
    if len(rest) > 1:
        raise HeftError(f'data: {" and ".join(reversed(rest))} are "{REST}" of the same examples; one split may be.')
    if not rest and len(shares) == len(parts) and abs(sum(shares.values()) - 1) < 1e-9:
        rest = [list(parts)[-1]]
    for name in (name for name in shares if name not in rest):
        sizes[name] = min(int(shares[name] * n + 0.5), n - sum(sizes.values()))
    _check_enough(settings, {name: sizes[name] for name in parts if name in sizes}, n, n_left_out)
    for name in rest:
        sizes[name] = n - sum(sizes.values())
    for name, size in sizes.items():
        if size < 1:
            raise HeftError(
                f"data.{name}: {wanted[name]} of {n} examples that {_listed(parts)} share is none; give counts, of at "
                "least 1 each, or add examples."
            )
    return {name: sizes[name] for name in parts}


def proportional_sizes(total: int, available: np.ndarray) -> np.ndarray:
    """Whole numbers [n_classes] adding up to `total`, near to its shares by `available` (largest remainder)."""
    shares = total * available / available.sum()
    sizes = np.floor(shares).astype(int)
    largest_first = np.argsort(sizes - shares, kind="stable")
    sizes[largest_first[: total - sizes.sum()]] += 1
    return sizes


def class_sizes(total: int, available: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """`proportional_sizes` moved to between `least` and `most` [n_classes], whose sums leave room for `total`.

    What a class cannot give or take, the classes do that have the most room for it.
    """
    sizes = np.clip(proportional_sizes(total, available), least, most)
    while missing := int(total - sizes.sum()):
        room = most - sizes if missing > 0 else sizes - least
        sizes[int(np.argmax(room))] += np.sign(missing)
    return sizes


def rare_classes(available: np.ndarray, parts: Sequence[str]) -> np.ndarray:
    """Which classes [n_classes] have some examples, but too few for each of `parts` to get one."""
    rare: np.ndarray = (available > 0) & (available < len(parts))
    return rare


def check_classes(available: np.ndarray, class_names: Sequence[str]) -> None:
    """Raises HeftError where a class has none of the examples that take part."""
    for label in np.flatnonzero(available == 0).tolist():
        raise HeftError(
            f"data: class {named(label, class_names)} has no examples that take part; leave it out of class_names."
        )


def check_holds(name: str, size: int, n_examples: int, n_classes: int) -> None:
    """Raises HeftError where the split `name` is too small for the `n_examples` of `n_classes` that it must hold."""
    if size < n_examples:
        raise HeftError(
            f"data.{name}: {size} examples cannot hold each of {n_classes} classes; make it at least {n_examples}, or "
            "join classes."
        )


def check_given_labels(
    labels: np.ndarray, before: np.ndarray, settings: DataSettings, class_names: Sequence[str]
) -> None:
    """Raises HeftError where planted noise leaves no training example with a label that was there `before`."""
    absent = sorted(set(before.tolist()) - set(labels.tolist()))
    if absent:
        raise HeftError(
            f"data.noise: {settings.noise.kind} noise at rate {settings.noise.rate} leaves none of {len(labels)} "
            f"training examples with the label {named(absent[0], class_names)}; lower data.noise.rate or raise "
            "data.train."
        )


def named(label: int, class_names: Sequence[str]) -> str:
    """`2 (cow)`, or `2` where that is the name."""
    name = class_names[label]
    return name if name == str(label) else f"{label} ({name})"


def _check_enough(settings: DataSettings, sizes: dict[str, int], n: int, n_left_out: int) -> None:
    if sum(sizes.values()) > n:
        ordered = {name: sizes[name] for name in reversed(sizes)}
        doubled = f" ({n_left_out} exact duplicates of others left out)" if n_left_out else ""
        wanted = " + ".join(f"{name} {size}" for name, size in ordered.items())
        total = f" = {sum(sizes.values())}" if len(sizes) > 1 else ""
        where = "the data set" if len(sizes) == 3 else f"the part of the data set for {' and '.join(ordered)}"
        raise HeftError(f"data: {wanted}{total} examples, but {where} has {n}{doubled}.")


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(reversed(list(parts)))
