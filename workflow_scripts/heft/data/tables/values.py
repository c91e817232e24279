"""The values of a column: which texts occur in it, and which of them are numbers or dates."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

POINT, COMMA = ".", ","  # what stands before the decimals
_PLAIN = {
    POINT: re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE),
    COMMA: re.compile(r"[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE),
}
_THOUSANDS = {
    POINT: re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"),
    COMMA: re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?"),
}
# Of formats that fit equally well the first is taken.
DATES = {
    "ISO8601": "year-month-day",
    "%m/%d/%Y": "month/day/year",
    "%d/%m/%Y": "day/month/year",
    "%d.%m.%Y": "day.month.year",
    "%Y/%m/%d": "year/month/day",
}
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Values:
    """The values of n rows: `words`, the texts that occur, and `codes`, int64 [n], which of them; -1 is missing."""

    words: list[str]
    codes: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which rows [n] have a value."""
        return self.codes >= 0

    @property
    def counts(self) -> np.ndarray:
        """How many rows have each word."""
        return np.bincount(self.codes[self.known], minlength=len(self.words))

    def each(self, of_words: np.ndarray) -> np.ndarray:
        """Float64 [n]: for each row what `of_words` says of its word, NaN where it is missing."""
        return np.append(of_words, np.nan)[self.codes]

    def texts(self) -> list[str]:
        """[n]; a missing one is empty."""
        words = [*self.words, ""]
        return [words[code] for code in self.codes]

    def first(self, of_words: np.ndarray) -> int:
        """The first row whose word is among those that `of_words` is true of."""
        return int(np.append(of_words, False)[self.codes].argmax())


def values_of(column: pa.ChunkedArray, missing: Collection[str]) -> Values:
    """The values without spaces around them; those in `missing`, and empty ones, are missing."""
    texts = pc.utf8_trim_whitespace(as_texts(column))
    gone = pc.is_in(texts, value_set=pa.array([*missing, ""], texts.type))
    encoded = pc.if_else(gone, pa.scalar(None, texts.type), texts).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Values(encoded.dictionary.to_pylist(), codes)


def as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as texts; one that holds lists, records or bytes raises pyarrow.ArrowException."""
    if pa.types.is_duration(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.large_string())


def is_nested(column: pa.ChunkedArray) -> bool:
    """Whether a value is no single number or text."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def numbers_of(words: Sequence[str], decimals: Sequence[str]) -> tuple[np.ndarray, str]:
    """Float64, NaN where a word is no number; and of `decimals`, points or commas, what stands before the decimals.

    That is what makes most words numbers, and if several do, most of them without a mark between thousands.
    """
    read = {decimal: [_number(word, decimal) for word in words] for decimal in decimals}
    plain = {decimal: sum(bool(_PLAIN[decimal].fullmatch(word)) for word in words) for decimal in decimals}
    best = max(decimals, key=lambda decimal: (-np.isnan(read[decimal]).sum(), plain[decimal]))
    return np.array(read[best], np.float64), best


def _number(word: str, decimal: str) -> float:
    if _PLAIN[decimal].fullmatch(word):
        return float(word.replace(decimal, POINT))
    if _THOUSANDS[decimal].fullmatch(word):
        mark = COMMA if decimal == POINT else POINT
        return float(word.replace(mark, "").replace(decimal, POINT))
    return float("nan")


def days_of(words: Sequence[str]) -> tuple[np.ndarray, str]:
    """Days since 1970-01-01, float64, NaN where a word is no date; and how dates are written."""
    parsed = {
        written: pd.to_datetime(pd.Series(words, dtype=object), format=form, errors="coerce", utc=True)
        for form, written in DATES.items()
    }
    written = max(DATES.values(), key=lambda written: int(parsed[written].notna().sum()))
    days = (parsed[written].dt.tz_localize(None) - pd.Timestamp(0)) / DAY
    return days.to_numpy(np.float64), written
