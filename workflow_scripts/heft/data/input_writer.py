"""Writes inputs row by row, so that all of them need not fit into memory; the form of the file: `heft.data.inputs`."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from heft.artifacts import CHECKSUM
from heft.atomic_files import atomic_path
from heft.checksum import BLANK
from heft.data.inputs import OFFSETS, TYPES, Type, checksum_of, rows_per_block

ROWS_AT_ONCE = 1024
NAMES = {dtype: name for name, dtype in TYPES.items()}


def write_inputs(path: str | Path, inputs: np.ndarray) -> None:
    """Writes inputs [n, ...] of a type in `TYPES`."""
    pieces = (inputs[first : first + ROWS_AT_ONCE] for first in range(0, len(inputs), ROWS_AT_ONCE))
    write_pieces(path, pieces, inputs.shape[1:], inputs.dtype, at_most=len(inputs))


def write_pieces(
    path: str | Path, pieces: Iterable[np.ndarray], shape: Sequence[int], dtype: Type, *, at_most: int
) -> int:
    """Writes the rows of `pieces`, each [k, *shape] of `dtype`, and returns how many there were.

    at_most: a number that this does not exceed.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as opened:
        reserved = _header(dtype, (at_most, *shape), 0, rows_per_block((1, *shape), dtype), BLANK)
        opened.write(bytes(8 + len(reserved)))
        blocks = _Blocks(rows_per_block((1, *shape), dtype) * dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
        n = 0
        for piece in pieces:
            content = np.ascontiguousarray(piece, dtype=dtype)
            opened.write(content.data)
            blocks.add(content.tobytes())
            n += len(content)
        _finish(opened, dtype, (n, *shape), np.array([], OFFSETS), blocks.hashes(), len(reserved))
    return n


def write_texts(path: str | Path, texts: Sequence[str]) -> None:
    """Writes texts of any length."""
    encoded = (text.encode() for text in texts)
    lengths = np.fromiter((len(text) for text in encoded), OFFSETS, count=len(texts))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(OFFSETS)
    dtype, shape = TYPES["U8"], (int(offsets[-1]),)
    with atomic_path(path) as temporary, temporary.open("wb") as opened:
        step = rows_per_block(shape, dtype)
        reserved = _header(dtype, shape, len(offsets), step, BLANK)
        opened.write(bytes(8 + len(reserved)))
        blocks = _Blocks(step)
        for text in texts:
            opened.write(text.encode())
            blocks.add(text.encode())
        opened.write(offsets.tobytes())
        _finish(opened, dtype, shape, offsets, blocks.hashes(), len(reserved))


class _Blocks:
    """The SHA-256 of each block of `size` bytes of what is added."""

    def __init__(self, size: int) -> None:
        self._size, self._rest = size, bytearray()
        self._digests = bytearray()

    def add(self, content: bytes) -> None:
        self._rest += content
        whole = len(self._rest) - len(self._rest) % self._size
        self._digests += b"".join(self._of(bytes(self._rest[:whole])))
        del self._rest[:whole]

    def hashes(self) -> np.ndarray:
        """Uint8 [n_blocks, 32]; what is left is the last block."""
        return np.frombuffer(b"".join([self._digests, *self._of(bytes(self._rest))]), np.uint8).reshape(-1, 32)

    def _of(self, content: bytes) -> Iterator[bytes]:
        for first in range(0, len(content), self._size):
            yield hashlib.sha256(content[first : first + self._size]).digest()


def _finish(
    opened: BinaryIO,
    dtype: Type,
    shape: Sequence[int],
    offsets: np.ndarray,
    hashes: np.ndarray,
    n_reserved: int,
) -> None:
    """Writes the hashes at the end, and the header at the start, in the place that was reserved for it."""
    opened.write(hashes.tobytes())
    checksum = checksum_of(dtype, shape, offsets, hashes)
    header = _header(dtype, shape, len(offsets), rows_per_block(shape, dtype), checksum)
    opened.seek(0)
    opened.write(n_reserved.to_bytes(8, "little") + header.ljust(n_reserved))


def _header(dtype: Type, shape: Sequence[int], n_offsets: int, step: int, checksum: str) -> bytes:
    """The header of a safetensors file, padded to a multiple of eight bytes."""
    end = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    header: dict[str, Any] = {"__metadata__": {CHECKSUM: checksum}}
    header["inputs"] = {"dtype": NAMES[dtype], "shape": list(shape), "data_offsets": [0, end]}
    if n_offsets:
        after = end + n_offsets * OFFSETS.itemsize
        header["offsets"] = {"dtype": "I64", "shape": [n_offsets], "data_offsets": [end, after]}
        end = after
    n_blocks = -(-shape[0] // step)
    header["block_sha256"] = {"dtype": "U8", "shape": [n_blocks, 32], "data_offsets": [end, end + 32 * n_blocks]}
    text = json.dumps(header).encode()
    return text + b" " * (-len(text) % 8)
