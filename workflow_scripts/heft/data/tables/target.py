"""The class of each row of a table, from its target column, and what shows that it holds no classes."""

import re
from collections.abc import Sequence

import numpy as np

from heft.data.tables.values import POINT, Values, numbers_of
from heft.errors import HeftError

MOST_NUMBERS = 20  # different numbers that are classes, whatever their kind and however few rows each has
LEAST_ROWS_EACH = 20  # rows of a class, on average, where there are more
MOST_FRACTIONS = 10  # different numbers that are classes, where some are not whole
SEPARATORS = (";", "|")  # between several labels; a comma, a slash or a space may stand in a name
WHOLE = re.compile(r"([+-]?\d+)\.0*")
MOST_SHOWN = 3


def class_names_of(column: str, words: Sequence[str], n: int, option: str = "target") -> list[str]:
    """The classes in their order, numbers by value.

    words: the texts that occur in the `n` rows of the column. option: that names the column.

    Raises HeftError naming the column where there is one class alone, or what it holds are numbers to be predicted,
    several labels a row, or a different text in each row.
    """
    numbers, _ = numbers_of(words, [POINT])
    is_numeric = bool(np.isfinite(numbers).all())
    if is_numeric:
        _check_no_regression(option, column, numbers, n)
    else:
        _check_one_label(option, column, words)
        if n >= MOST_NUMBERS and len(words) > n / 2:
            raise HeftError(
                f'{option} {column} holds {len(words):,} different texts in {n:,} rows, such as "{words[0]}"; name a '
                "column of classes, each of which has several rows."
            )
    names = sorted({class_of(word) for word in words})
    if len(names) < 2:
        raise HeftError(
            f"{option} {column} holds one class alone ({', '.join(names) or 'none'}); weighing data needs rows of "
            "at least 2 classes."
        )
    return sorted(names, key=float) if is_numeric else names


def class_of(word: str) -> str:
    """The name of the class that a text stands for: `1` of `1.0`, else the text."""
    whole = WHOLE.fullmatch(word)
    return whole[1] if whole else word


def similar_names(names: Sequence[str]) -> list[str]:
    """A sentence on classes that differ by case or spaces alone; none where there are none."""
    plain: dict[str, list[str]] = {}
    for name in names:
        plain.setdefault(" ".join(name.casefold().split()), []).append(name)
    alike = [" and ".join(f'"{name}"' for name in group) for group in plain.values() if len(group) > 1]
    if not alike:
        return []
    shown = "; ".join(alike[:MOST_SHOWN]) + ("; and so on" if len(alike) > MOST_SHOWN else "")
    return [f"Classes differ by case or spaces alone: {shown}; if they are the same, write them alike."]


def texts_of_classes(values: Values) -> list[str]:
    """[n] names of classes; a missing one is empty."""
    return Values([class_of(word) for word in values.words], values.codes).texts()


def _check_no_regression(option: str, column: str, numbers: np.ndarray, n: int) -> None:
    fractions = not (numbers == np.floor(numbers)).all()
    many = len(numbers) > MOST_FRACTIONS if fractions else len(numbers) > MOST_NUMBERS
    if many and (fractions or len(numbers) * LEAST_ROWS_EACH > n):
        raise HeftError(
            f"{option} {column} holds {len(numbers):,} different numbers ({numbers.min():g} to {numbers.max():g}), "
            "which is a regression, and Heft weighs data of classification alone; add a column of classes, such as "
            f"whether {column} is above {np.median(numbers):g}."
        )


def _check_one_label(option: str, column: str, words: Sequence[str]) -> None:
    """Several labels: a list, or parts that are found alone too, or in another place."""
    listed = next((word for word in words if word.startswith("[") and word.endswith("]")), None)
    for separator in SEPARATORS:
        places: dict[str, set[tuple[int, bool]]] = {}
        several = [word for word in words if separator in word]
        for word in words:
            parts = [part.strip() for part in word.split(separator)]
            for place, part in enumerate(parts):
                places.setdefault(part, set()).add((place, len(parts) == 1))
        again = [word for word in several if any(len(places[part.strip()]) > 1 for part in word.split(separator))]
        listed = listed or next(iter(again), None)
    if listed is not None:
        raise HeftError(
            f'{option} {column} holds several labels in a row, such as "{listed}", and Heft weighs data with one class '
            "a row; make a column of each label, and name one of them."
        )
