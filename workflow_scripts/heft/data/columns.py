"""Columns of a person's CSV file, as texts, with the line of each row."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heft.data.arrays import check_file
from heft.errors import HeftError

DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Columns:
    """A file with a header: the texts of each column by its name, and the line on which each row ends."""

    path: Path
    texts: dict[str, Sequence[str]]
    lines: Sequence[int]

    def column(self, name: str) -> Sequence[str]:
        """The texts of a column; raises HeftError where there is none of that name."""
        if name not in self.texts:
            raise HeftError(f"{self.path} has the columns {', '.join(self.texts)}; there is no {name}.")
        return self.texts[name]

    def numbers(self, name: str) -> np.ndarray:
        """The numbers of a column, float64 [n]; raises HeftError naming the line where a text is none."""
        texts = self.column(name)
        try:
            return np.array(texts, dtype=np.float64)
        except ValueError:
            row = next(row for row, text in enumerate(texts) if not _is_number(text))
            found = f'"{texts[row]}", which is no number' if texts[row].strip() else "nothing"
            raise HeftError(f"{self.path}, line {self.lines[row]}: column {name} holds {found}.") from None


def read_columns(path: Path) -> Columns:
    """Reads a .csv or .tsv file in UTF-8, whose first line names the columns; spaces around names are dropped.

    Raises HeftError naming file and line where the header names a column twice or not at all, a row has another number
    of fields, or the file is no text.
    """
    check_file(path, tuple(DELIMITERS))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=DELIMITERS[path.suffix.lower()], strict=True)
            names = _header(path, next(reader, []))
            rows, lines = [], []
            for row in filter(None, reader):  # an empty line is no row
                if len(row) != len(names):
                    raise HeftError(
                        f"{path}, line {reader.line_num} has {len(row)} fields; the header has {len(names)}."
                    )
                rows.append(row)
                lines.append(reader.line_num)
    except UnicodeDecodeError as error:
        raise HeftError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8.") from error
    except csv.Error as error:
        raise HeftError(f"{path}, line {reader.line_num} cannot be read as CSV ({error}).") from error
    if not rows:
        raise HeftError(f"{path} has a header ({', '.join(names)}) and no row.")
    return Columns(path, dict(zip(names, zip(*rows, strict=True), strict=True)), lines)


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for place, name in enumerate(names):
        if not name:
            raise HeftError(f"{path}: column {place + 1} has no name in the header; the first line names the columns.")
        if name in names[:place]:
            raise HeftError(f"{path}: the header names the column {name} twice.")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
