"""Columns of a person's CSV file, as texts, with the line of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heft.data.arrays import check_file
from heft.data.csv_file import look_at_csv
from heft.errors import HeftError

SUFFIXES = (".csv", ".tsv")


@dataclass(frozen=True)
class Columns:
    """A file with a header: the texts of each column by its name, and the line on which each row begins."""

    path: Path
    texts: Mapping[str, Sequence[str]]
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


def read_columns(
    path: Path, *, encoding: str | None = None, separator: str | None = None, name_all: bool = False
) -> Columns:
    """Reads a .csv or .tsv file, whose first line names the columns; spaces around names are dropped.

    encoding, separator: found out where they are not given. name_all: a column without a name gets one, `column 1` (see
    `heft.data.csv_file`). Raises HeftError naming file
    and line where the header names a column twice or not at all, a row has another number of fields, or the file is no
    text.
    """
    check_file(path, SUFFIXES)
    file = look_at_csv(path, encoding=encoding, separator=separator, name_all=name_all)
    rows = list(file.rows())
    if not rows:
        raise HeftError(f"{path} has a header ({', '.join(file.names)}) and no row.")
    texts = dict(zip(file.names, zip(*(row for _, row in rows), strict=True), strict=True))
    return Columns(path, texts, [line for line, _ in rows])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
