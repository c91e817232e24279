"""Inputs of one column of a table in Arrow: encoded pictures, or lists of numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

from heft.data.array_inputs import inputs_of_array
from heft.data.csv_file import named_columns
from heft.data.labelled_rows import labelled_rows
from heft.data.modalities.images import Images
from heft.data.pictures.decode import Fit
from heft.data.pictures.picture_files import PictureFiles
from heft.data.raw_data import RawData
from heft.data.tables.files import FileTable
from heft.data.tables.roles import Roles
from heft.errors import HeftError


class StoredPictures(Sequence[bytes | Path]):
    """The content of each picture of a column of `bytes` and `path`, or the file where it has a path alone."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, row: int) -> bytes | Path: ...
    @overload
    def __getitem__(self, row: slice) -> list[bytes | Path]: ...

    def __getitem__(self, row: int | slice) -> bytes | Path | list[bytes | Path]:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        return _content_of(self._column[row])


def pictures_of_column(
    table: FileTable,
    column: str,
    roles: Roles,
    parts: Sequence[str],
    files: Mapping[str, Path],
    modality: Images,
    size: int,
    fit: Fit,
) -> RawData:
    """The pictures of a column, decoded one by one; a row without one is skipped."""
    values = table.columns[column]
    without = {row: "it has no picture" for row, one in enumerate(values) if not _has_picture(one)}
    raw = labelled_rows(values, modality, table, roles, parts, hash_of=_hash_of_picture, skipped=without, files=files)
    return replace(raw, inputs=PictureFiles(StoredPictures(raw.inputs), size, fit))


def numbers_of_column(
    table: FileTable, column: str, roles: Roles, parts: Sequence[str], files: Mapping[str, Path]
) -> RawData:
    """The lists of a column as a table; raises HeftError where they are not of numbers, or of several lengths."""
    values, modality = inputs_of_array(_numbers_of(table, column), f"input {column} of {table.files[0]}")
    return labelled_rows(values, modality, table, roles, parts, files=files)


def _has_picture(scalar: Any) -> bool:
    value = scalar.as_py()
    return value is not None and (value["bytes"] is not None or value["path"] is not None)


def _content_of(scalar: Any) -> bytes | Path:
    value = scalar.as_py()
    content: bytes | None = value["bytes"]
    return Path(value["path"]) if content is None else content


def _hash_of_picture(scalar: Any) -> str:
    content = _content_of(scalar)
    return hashlib.sha256(content if isinstance(content, bytes) else str(content).encode()).hexdigest()


def _numbers_of(table: FileTable, column: str) -> np.ndarray:
    """Of lists of one length, [n, length]."""
    values = table.columns[column].combine_chunks()
    kind = values.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise HeftError(
            f"input {column} of {table.files[0]} holds {kind}; expected texts, pictures, or lists of numbers of one "
            f"length; the columns are {named_columns(list(table.columns))}."
        )
    lengths = [len(one.as_py() or ()) for one in values]
    for row, length in enumerate(lengths):
        if length != lengths[0] or not length:
            raise HeftError(
                f"input {column} of {table.files[0]} holds {length} numbers in {table.where(row)}, and {lengths[0]} in "
                f"{table.where(0)}; expected as many in each row."
            )
    numbers: np.ndarray = values.flatten().to_numpy(zero_copy_only=False).reshape(len(lengths), lengths[0])
    return numbers
