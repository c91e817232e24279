"""What a column of a table is: numbers, dates, categories, or nothing that a model could learn from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from heft.data.tables.values import COMMA, Values, days_of, numbers_of
from heft.errors import HeftError

NUMERIC, CATEGORICAL, DATE = "numeric", "categorical", "date"
MOST_OF = 0.9  # of the values decide what a column is
MIXED = 0.1  # of them are said to be numbers among texts
LEAST_ROWS = 20  # from which on different values in all rows say something
DIFFERENT = 0.95  # of the texts of a column that holds one for each row
LARGEST = float(np.finfo(np.float32).max)
NAMED_AS_ID = re.compile(r"(.*[ _\-])?(id|uuid|guid|index|row|unnamed: \d+|__index_level_\d+__)|column 1|.*[a-z]I[dD]")


@dataclass(frozen=True)
class TypedColumn:
    """A column that a model learns from.

    values: float64 [n], NaN where missing; of a category its place in `categories`, of a date days since 1970-01-01.
    written: the form of dates.
    """

    name: str
    kind: str
    values: np.ndarray
    categories: list[str] = field(default_factory=list)
    written: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A column that is left out, and why, in a few words."""

    name: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """How columns are read. decimals: what may stand before decimals. where: names a row in a sentence.

    max_categories: how many columns a model has for the categories of one. note: takes a sentence.
    """

    decimals: Sequence[str]
    where: Callable[[int], str]
    max_categories: int
    note: Callable[[str], None]


def typed_column(name: str, values: Values, reading: Reading, kind: str = "") -> TypedColumn | LeftOut:
    """What the column is; kind: what a person says that it is, or empty.

    Raises HeftError where a person says that it is numeric and it holds no number.
    """
    if len(values.words) < 2 and (not values.words or values.known.all()):
        return LeftOut(name, f'the same value, "{values.words[0]}", in each row' if values.words else "without a value")
    numbers, decimal = numbers_of(values.words, reading.decimals)
    share = _share(values, ~np.isnan(numbers))
    if kind == NUMERIC and share == 0:
        raise HeftError(
            f'numeric has {name}, in which no value is a number; the first is "{values.words[0]}" '
            f"({reading.where(0 if not values.words else values.first(np.arange(len(values.words)) == 0))})."
        )
    if kind == NUMERIC or (not kind and share >= MOST_OF):
        if decimal == COMMA:
            reading.note(f"Column {name} holds numbers with a decimal comma.")
        return _numeric(name, values, numbers, reading, is_told=bool(kind))
    if not kind:
        days, written = days_of(values.words)
        if _share(values, ~np.isnan(days)) >= MOST_OF:
            _say_missing(name, values, np.isnan(days), "dates", reading)
            return TypedColumn(name, DATE, values.each(days), written=written)
    return _categorical(name, values, share, reading, is_told=bool(kind))


def _numeric(
    name: str, values: Values, numbers: np.ndarray, reading: Reading, *, is_told: bool
) -> TypedColumn | LeftOut:
    _say_missing(name, values, np.isnan(numbers), "numbers", reading)
    infinite = np.abs(numbers) > LARGEST
    if infinite.any():
        count = int(values.counts[infinite].sum())
        reading.note(
            f"Column {name} holds {_counted(count, 'infinite value')} ({reading.where(values.first(infinite))}), "
            f"{'which is' if count == 1 else 'which are'} treated as missing."
        )
    column = values.each(np.where(infinite, np.nan, numbers))
    known = column[~np.isnan(column)]
    distinct = np.unique(known)
    if len(distinct) < 2 and len(known) in (0, len(column)):
        return LeftOut(name, "the same value in each row")
    if not is_told and len(distinct) == len(column) >= LEAST_ROWS and (known == np.floor(known)).all():
        if distinct[-1] - distinct[0] + 1 == len(column):
            return LeftOut(name, "the number of each row")
        if NAMED_AS_ID.fullmatch(name.lower()) or NAMED_AS_ID.fullmatch(name):
            return LeftOut(name, "a different whole number in each row, as an id")
    return TypedColumn(name, NUMERIC, column)


def _categorical(name: str, values: Values, share: float, reading: Reading, *, is_told: bool) -> TypedColumn | LeftOut:
    n_known, n_words = int(values.known.sum()), len(values.words)
    if not is_told and n_known >= LEAST_ROWS and n_words >= DIFFERENT * n_known:
        return LeftOut(name, f"{n_words:,} different texts in {n_known:,} rows")
    if not is_told and share >= MIXED:
        reading.note(
            f"Column {name} holds numbers in {100 * share:.0f} % of the rows with a value, and texts in the others; "
            f"all are taken for categories (numeric: [{name}] keeps the numbers alone)."
        )
    categories = sorted(values.words)
    if len(categories) > reading.max_categories:
        reading.note(
            f"Column {name} has {len(categories):,} categories; the {reading.max_categories - 1} most frequent ones of "
            "the training split have a column each, and the others share one (max_categories)."
        )
    places = {word: place for place, word in enumerate(categories)}
    codes = values.each(np.array([places[word] for word in values.words], np.float64))
    return TypedColumn(name, CATEGORICAL, codes, categories)


def _share(values: Values, of_words: np.ndarray) -> float:
    """Of the rows with a value, how many have a word that is true of."""
    return float(values.counts[of_words].sum() / max(1, values.counts.sum()))


def _say_missing(name: str, values: Values, others: np.ndarray, kind: str, reading: Reading) -> None:
    if others.any():
        row, count = values.first(others), int(values.counts[others].sum())
        shown = values.words[values.codes[row]]
        reading.note(
            f'Column {name} holds {kind} and {_counted(count, "other value")}, such as "{shown}" '
            f"({reading.where(row)}); {'that one is' if count == 1 else 'those are'} treated as missing."
        )


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
