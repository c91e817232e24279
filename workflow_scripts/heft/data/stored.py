"""Writes the inputs of a data set of any kind, and hashes each of them, in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heft.data.checked import CheckedData
from heft.data.input_writer import ROWS_AT_ONCE, write_inputs, write_pieces, write_texts
from heft.data.row_stream import RowStream, Unreadable
from heft.errors import HeftError


@dataclass(frozen=True)
class Stored:
    """The data set of what could be read, and the content hash of each example."""

    data: CheckedData
    hashes: list[str]


def store_inputs(path: Path, data: CheckedData, source: str, threads: int = 1) -> Stored:
    """Writes `inputs.safetensors`; raises HeftError naming the source where no input of a stream can be read.

    threads: that read a stream.
    """
    if isinstance(data.inputs, RowStream):
        return _store_stream(path, data, data.inputs, source, threads)
    if isinstance(data.inputs, list):
        write_texts(path, data.inputs)
    else:
        write_inputs(path, data.inputs)
    return Stored(data, [data.modality.hash(example) for example in data.inputs])


def _store_stream(path: Path, data: CheckedData, stream: RowStream, source: str, threads: int) -> Stored:
    hashes: list[str] = []
    reasons: dict[int, str] = {}

    def pieces() -> Iterator[np.ndarray]:
        rows: list[np.ndarray] = []
        for number, row in enumerate(stream.read(threads)):
            if isinstance(row, Unreadable):
                reasons[number] = row.reason
                continue
            hashes.append(data.modality.hash(row))
            rows.append(row)
            if len(rows) * row.nbytes >= PIECE_BYTES or len(rows) == ROWS_AT_ONCE:
                yield np.stack(rows)
                rows = []
        if rows:
            yield np.stack(rows)

    write_pieces(path, pieces(), stream.shape, stream.dtype, at_most=len(stream))
    try:
        return Stored(data.without(reasons, stream.notes), hashes)
    except HeftError as error:
        raise HeftError(f"Data source {source}: {error}") from error


PIECE_BYTES = 2**24  # of rows that are written at once
