"""Tables in files: CSV, TSV and Parquet, column by column, with the line or row that each row comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from heft.data.csv_file import CsvFile, look_at_csv, named_columns, names_of_header
from heft.data.tables.json_lines import read_json_lines
from heft.data.text_file import COMPRESSED
from heft.errors import HeftError

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
SUFFIXES = (*TEXT_SUFFIXES, *JSON_SUFFIXES, ".parquet")
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class FileTable:
    """Rows of one file, or of several with the same columns.

    columns: the values by name, of CSV as texts. files: the paths. file_of: int64 [n], indices into these. place_of:
    int64 [n], the line on which a row begins, in Parquet the number of the row, both from 1. place: `line` or `row`, of
    each file. separator: between the fields of the first file; of Parquet empty.
    """

    columns: Mapping[str, pa.ChunkedArray]
    files: Sequence[Path]
    file_of: np.ndarray
    place_of: np.ndarray
    place: Sequence[str]
    separator: str

    def __len__(self) -> int:
        return len(self.place_of)

    def where(self, row: int) -> str:
        """`people.csv, line 7`."""
        return f"{self.files[self.file_of[row]].name}, {self.place_in_file(row)}"

    def place_in_file(self, row: int) -> str:
        """`line 7`."""
        return f"{self.place[self.file_of[row]]} {self.place_of[row]}"

    def with_column(self, name: str, column: pa.ChunkedArray) -> "FileTable":
        """The same with another column of that name."""
        return replace(self, columns={**self.columns, name: column})

    def take(self, rows: np.ndarray) -> "FileTable":
        """Some of the rows."""
        columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
        return FileTable(columns, self.files, self.file_of[rows], self.place_of[rows], self.place, self.separator)


def read_tables(
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    separator: str | None = None,
    header: bool = True,
    quotes: bool = True,
) -> FileTable:
    """The rows of all files; raises HeftError where one cannot be read, or has other columns than the first.

    header, quotes: of CSV, see `CsvFile`.
    """
    tables = [read_table(path, encoding=encoding, separator=separator, header=header, quotes=quotes) for path in paths]
    first = tables[0]
    for table in tables[1:]:
        if set(table.columns) != set(first.columns):
            lacks, more = (
                sorted(set(first.columns) - set(table.columns)),
                sorted(set(table.columns) - set(first.columns)),
            )
            said = [f"{word} {', '.join(names)}" for word, names in (("lacks", lacks), ("also has", more)) if names]
            raise HeftError(
                f"{table.files[0]} {' and '.join(said)}, unlike {first.files[0]}; give both the same columns."
            )
    if len(tables) == 1:
        return first
    columns = {name: _one_type([table.columns[name] for table in tables]) for name in first.columns}
    return FileTable(
        columns,
        list(paths),
        np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
        np.concatenate([table.place_of for table in tables]),
        [table.place[0] for table in tables],
        first.separator,
    )


def named_files(files: Mapping[str, Path]) -> dict[str, Path]:
    """The files of splits by name, which holds the split where several have one."""
    names = [file.name for file in files.values()]
    return {file.name if names.count(file.name) == 1 else f"{part}: {file.name}": file for part, file in files.items()}


def read_table(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    header: bool = True,
    quotes: bool = True,
) -> FileTable:
    """The rows of a file; encoding and separator are found out where they are not given.

    header, quotes: of CSV, see `CsvFile`. Raises HeftError naming the file, and the line where there is one, if it is
    of another kind, is empty, has no row, names a column twice or cannot be read.
    """
    kind = _kind_of(path)
    if not path.is_file():
        raise HeftError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a file.")
    if not path.stat().st_size:
        raise HeftError(f"{path} is empty.")
    if kind == ".parquet":
        table = _read_parquet(path)
    elif kind in JSON_SUFFIXES:
        table = _of_one(path, *read_json_lines(path, encoding), "line", "")
    else:
        file = look_at_csv(path, encoding=encoding, separator=separator, name_all=True, header=header, quotes=quotes)
        table = _read_text(file)
    if not len(table):
        has = f"has a header ({named_columns(list(table.columns))})" if table.columns else "holds blank lines"
        raise HeftError(f"{path} {has} and no row.")
    return table


def _kind_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = bool(suffixes) and suffixes[-1] in COMPRESSED
    kind = suffixes[-1 - compressed] if len(suffixes) > compressed else ""
    if kind not in SUFFIXES or (compressed and kind == ".parquet"):
        hint = "; save the sheet as CSV" if kind in (".xlsx", ".xls", ".ods") else ""
        raise HeftError(
            f"{path} ends in {kind or 'no suffix'}; allowed are {', '.join(SUFFIXES)}, and texts compressed as "
            f"{', '.join(COMPRESSED)}{hint}."
        )
    return kind


def _read_text(file: CsvFile) -> FileTable:
    chunks: list[list[pa.Array]] = [[] for _ in file.names]
    lines: list[int] = []
    rows = file.rows()
    while piece := list(islice(rows, ROWS_AT_ONCE)):
        lines += [line for line, _ in piece]
        for column, texts in zip(chunks, zip(*(fields for _, fields in piece), strict=True), strict=True):
            column.append(pa.array(texts, pa.large_string()))
    columns = {
        name: pa.chunked_array(column, pa.large_string()) for name, column in zip(file.names, chunks, strict=True)
    }
    return _of_one(file.path, columns, lines, "line", file.separator)


def _read_parquet(path: Path) -> FileTable:
    try:
        read = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise HeftError(f"{path} cannot be read as Parquet ({str(error).splitlines()[0]}).") from error
    names = names_of_header(path, read.column_names, name_all=True)
    columns = dict(zip(names, read.columns, strict=True))
    return _of_one(path, columns, range(1, read.num_rows + 1), "row", "")


def _of_one(
    path: Path, columns: Mapping[str, pa.ChunkedArray], numbers: Sequence[int], place: str, separator: str
) -> FileTable:
    place_of = np.array(numbers, np.int64)
    return FileTable(columns, [path], np.zeros(len(place_of), np.int64), place_of, [place], separator)


def _one_type(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """The columns below each other, as texts where their types differ."""
    from heft.data.tables.values import as_texts

    if len({column.type for column in columns}) > 1:
        columns = [as_texts(column) for column in columns]
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)
