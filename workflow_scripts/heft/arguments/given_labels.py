"""Labels as a person has them, words or whole numbers, and the classes that they name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from heft.arguments.on_device import check_has_numbers
from heft.errors import HeftError
from heft.phrases import shown

Label = int | str
MOST_SHOWN = 20  # classes in a sentence


class GivenLabels(NamedTuple):
    """The label of each example, its class as int64 [n], and the classes in their order."""

    values: list[Label]
    indices: Tensor
    classes: list[Label]


def label_values(given: Any, what: str = "labels") -> list[Label]:
    """Each label as a whole number or a text, of a tensor, an array, a column or a list.

    what: begins sentences. Raises HeftError naming the row where a label is anything else, or words and numbers mix.
    """
    check_has_numbers(given, what)
    given = given.detach().cpu() if isinstance(given, Tensor) else given
    listed = given if isinstance(given, list | tuple) else np.asarray(given).tolist()
    if not isinstance(listed, list | tuple):
        raise HeftError(f"{what} is a {type(given).__name__}; expected a label for each example.")
    values: list[Label] = []
    for row, value in enumerate(listed):
        label = label_of(value)
        if label is None:
            raise HeftError(f"{what}: row {row} holds {shown(value)}; expected a whole number or a word.")
        if values and type(label) is not type(values[0]):
            raise HeftError(
                f"{what}: row {row} holds {shown(label)}, row 0 {shown(values[0])}; expected all of a kind."
            )
        values.append(label)
    return values


def labels_by_name(values: list[Label], classes: Sequence[Any] | None = None) -> GivenLabels:
    """Labels with their classes: those that are given, in this order, or else all that occur, sorted.

    Numbers are places of classes, from 0 on, where all classes are words. Raises HeftError where a label is not among
    the given classes, or there are fewer than two.
    """
    named = sorted(set(values)) if classes is None else label_values(classes, "classes")
    places = {str(name): place for place, name in enumerate(named)}
    if len(places) < len(named):
        repeated = next(name for place, name in enumerate(named) if places[str(name)] != place)
        raise HeftError(f"classes holds {shown(repeated)} twice; each stands once.")
    if len(named) < 2:
        found = f"name one class ({named[0]})" if named else "are empty"
        raise HeftError(f"labels {found}; expected at least two classes.")
    if values and isinstance(values[0], int) and not any(map(_is_whole, named)):
        values = [named[value] if value in range(len(named)) else value for value in values]  # type: ignore[index]
    for row, value in enumerate(values):
        if str(value) not in places:
            raise HeftError(f"labels: row {row} has {shown(value)}, which is none of the classes: {names_of(named)}.")
    indices = torch.tensor([places[str(value)] for value in values], dtype=torch.int64)
    own = {str(value): value for value in values}  # a class "3" is called 3 where labels are numbers
    return GivenLabels(values, indices, [own.get(str(name), name) for name in named])


def labels_by_column(values: list[Label], n_classes: int) -> GivenLabels:
    """Labels that are numbers of columns, 0 to n_classes - 1; raises HeftError, saying what would do, where not."""
    outside = [value for value in values if isinstance(value, str) or not 0 <= value < n_classes]
    if outside:
        found = sorted(set(values))
        example = f", such as {','.join(map(str, found))}" if len(found) == n_classes <= MOST_SHOWN else ""
        raise HeftError(
            f"labels hold {shown(outside[0])}, which is no number of a column (0 to {n_classes - 1}), and predictions "
            f"do not name their columns; pass classes, the names in the order of the columns{example}."
        )
    return GivenLabels(values, torch.tensor(values, dtype=torch.int64), list(range(n_classes)))


def names_of(classes: Sequence[Label]) -> str:
    """The classes in a sentence, cut where there are many."""
    more = f" and {len(classes) - MOST_SHOWN} more" if len(classes) > MOST_SHOWN else ""
    return ", ".join(map(str, classes[:MOST_SHOWN])) + more


def _is_whole(name: Label) -> bool:
    return isinstance(name, int) or name.lstrip("-").isdecimal()


def label_of(value: Any) -> Label | None:
    """A whole number or a text; `None` where the value is neither, or an empty text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool | np.bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    number = float(value)
    return int(value) if number.is_integer() and abs(number) < 2**53 else None
