"""A person's CSV file: its encoding and separator found out, its header, and its rows with the line each begins on."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from heft.data.text_file import decoder_of, opened_text, start_of
from heft.errors import HeftError

MOST_NAMED, LONGEST_NAME = 30, 40  # columns, characters
SEPARATORS = (",", ";", "\t", "|")
SNIFFED_BYTES = 2**16
SNIFFED_ROWS = 100
FIRST_NUMBER = "1"  # the name of the first column of a file without a header
LARGEST_FIELD = 2**31 - 1  # characters; a book is longer than Python's own limit


@dataclass(frozen=True)
class CsvFile:
    """A file that was looked at: how its bytes are text, what separates fields, and the names of its columns.

    header: whether its first line holds these; else they are the numbers from 1. quotes: whether a field that begins
    with a quote ends with one.
    """

    path: Path
    encoding: str
    separator: str
    names: list[str]
    header: bool = True
    quotes: bool = True

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line on which a row begins, its fields), of each row that is not empty.

        Raises HeftError naming file and line where a row has another number of fields, or the bytes are no such text.
        """
        with opened_text(self.path, self.encoding) as file:
            reader = _reader(file, self.separator, self.quotes)
            with _said_of(self.path, reader):
                if self.header:
                    next(reader)
                line = reader.line_num + 1
                for row in reader:
                    if row and len(row) != len(self.names):
                        fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                        first = "header" if self.header else "first line"
                        raise HeftError(f"{self.path}, line {line} has {fields}; the {first} has {len(self.names)}.")
                    if row:
                        yield line, row
                    line = reader.line_num + 1


def look_at_csv(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    name_all: bool = False,
    header: bool = True,
    quotes: bool = True,
) -> CsvFile:
    """Finds out encoding and separator where they are not given, and reads the header; spaces around names are dropped.

    name_all: a column without a name gets one, `column 1`. header, quotes: as of `CsvFile`. Raises HeftError where the
    header names a column twice or not at all, or the file is no text.
    """
    encoding = decoder_of(path, encoding)
    separator = separator or _separator_of(path, encoding)
    with opened_text(path, encoding) as file:
        reader = _reader(file, separator, quotes)
        with _said_of(path, reader):
            first: list[str] = next(reader, [])
    names = names_of_header(path, first, name_all) if header else [str(number + 1) for number in range(len(first))]
    return CsvFile(path, encoding, separator, names, header, quotes)


def names_of_header(path: Path, cells: Sequence[str], name_all: bool) -> list[str]:
    """The names of the columns; raises HeftError where one is there twice, or is empty and `name_all` is not set."""
    names = [cell.strip() or (f"column {place + 1}" if name_all else "") for place, cell in enumerate(cells)]
    for place, name in enumerate(names):
        if not name:
            raise HeftError(f"{path}: column {place + 1} has no name in the header; the first line names the columns.")
        if name in names[:place]:
            hint = "; if that line is a row, add a header." if looks_like_a_row(names) else "."
            raise HeftError(f"{path}: the header names the column {name} twice{hint}")
    return names


def looks_like_a_row(names: Sequence[str]) -> bool:
    """Whether some name is a number, as in the first row of a file without a header."""
    return any(re.fullmatch(r"[+-]?\d+([.,]\d+)?", name) for name in names)


def named_columns(names: Sequence[str]) -> str:
    """The first columns of a sentence, and how many follow."""
    shown = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names[:MOST_NAMED]]
    return ", ".join(shown) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _separator_of(path: Path, encoding: str) -> str:
    """What separates the same number of fields in each of the first rows; of several such, the most fields."""
    if {".tsv", ".tab"} & {suffix.lower() for suffix in path.suffixes}:
        return "\t"
    start = start_of(path, SNIFFED_BYTES)
    content, is_cut = start.decode(encoding, "ignore"), len(start) == SNIFFED_BYTES
    numbers = {separator: _field_counts(content, separator, is_cut) for separator in SEPARATORS}
    regular = {separator: counts[0] for separator, counts in numbers.items() if len(set(counts)) == 1}
    best = max(regular or {"": 0}, key=lambda separator: regular.get(separator, 0))
    if regular.get(best, 0) > 1:
        return best
    return max(numbers, key=lambda separator: numbers[separator][0] if numbers[separator] else 0)


def _field_counts(content: str, separator: str, is_cut: bool) -> list[int]:
    """How many fields each of the first rows has, without the last one where the content is cut."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        counts = [len(row) for row in islice(reader, SNIFFED_ROWS) if row]
    except csv.Error:
        return []
    return counts[:-1] if is_cut and 1 < len(counts) < SNIFFED_ROWS else counts


def _reader(file: TextIO, separator: str, quotes: bool = True) -> Any:
    csv.field_size_limit(LARGEST_FIELD)
    if not quotes:
        return csv.reader(file, delimiter=separator, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)


@contextmanager
def _said_of(path: Path, reader: Any) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        raise HeftError(f"{path}, line {reader.line_num} cannot be read as CSV ({error}).") from error
