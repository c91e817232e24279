"""How many examples of each class a split takes, and whether the data set has them."""

from collections.abc import Sequence

import numpy as np

from heft.data.settings import DataSettings
from heft.errors import HeftError


def proportional_sizes(total: int, available: np.ndarray) -> np.ndarray:
    """Whole numbers [n_classes] adding up to `total`, near to its shares by `available` (largest remainder)."""
    shares = total * available / available.sum()
    sizes = np.floor(shares).astype(int)
    largest_first = np.argsort(sizes - shares, kind="stable")
    sizes[largest_first[: total - sizes.sum()]] += 1
    return sizes


def check_sizes(settings: DataSettings, parts: Sequence[str], n_unique: int, n_duplicates: int) -> None:
    """Raises HeftError where the splits `parts` together want more than the `n_unique` examples that they share."""
    sizes = {name: getattr(settings, name) for name in reversed(parts)}
    if sum(sizes.values()) > n_unique:
        doubled = f" ({n_duplicates} exact duplicates of others left out)" if n_duplicates else ""
        wanted = " + ".join(f"{name} {size}" for name, size in sizes.items())
        total = f" = {sum(sizes.values())}" if len(sizes) > 1 else ""
        where = "the data set" if len(parts) == 3 else f"the part of the data set for {' and '.join(sizes)}"
        raise HeftError(f"data: {wanted}{total} examples, but {where} has {n_unique}{doubled}.")


def check_counts(parts: Sequence[str], available: Sequence[int], class_names: Sequence[str]) -> None:
    """Raises HeftError where a class has too few of the examples that `parts` share for each of them to get one."""
    for label, count in enumerate(available):
        if count < len(parts):
            raise HeftError(
                f"data: class {_named(label, class_names)} has {_examples(count)} for {', '.join(reversed(parts))}, "
                f"but {'each of these splits' if len(parts) > 1 else 'this split'} needs at least 1, whatever the "
                "sizes; leave the class out of the data set, or join it with another one."
            )


def check_shares(name: str, sizes: np.ndarray, available: np.ndarray, class_names: Sequence[str]) -> None:
    """Raises HeftError where the split `name`, of `sizes` [n_classes], lacks a class; says which size would do."""
    absent = np.flatnonzero(sizes == 0)
    if not len(absent):
        return
    total, label = int(sizes.sum()), int(absent[0])
    enough = next(
        (size for size in range(total + 1, int(available.sum()) + 1) if proportional_sizes(size, available).all()), None
    )
    what = f"make it at least {enough}" if enough else "make the other splits smaller"
    raise HeftError(
        f"data.{name}: {total} examples hold none of class {_named(label, class_names)}, of which "
        f"{_examples(int(available[label]))} {'is' if available[label] == 1 else 'are'} left for it; {what}, or leave "
        "the class out of the data set."
    )


def check_given_labels(labels: Sequence[int], settings: DataSettings, class_names: Sequence[str]) -> None:
    """Raises HeftError where planted noise leaves no training example with the label of a class."""
    absent = sorted(set(range(len(class_names))) - set(labels))
    if absent:
        raise HeftError(
            f"data.noise: {settings.noise.kind} noise at rate {settings.noise.rate} leaves none of {len(labels)} "
            f"training examples with the label {_named(absent[0], class_names)}; lower data.noise.rate or raise "
            "data.train."
        )


def _named(label: int, class_names: Sequence[str]) -> str:
    name = class_names[label]
    return name if name == str(label) else f"{label} ({name})"


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count or 'no'} examples"
