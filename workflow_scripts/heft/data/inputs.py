"""The data set's inputs in one file, mapped into memory and verified block by block; without torch.

`inputs.safetensors` holds `inputs` and `block_sha256`, the SHA-256 of each block of consecutive rows. Texts, whose
lengths differ, are the bytes of all of them, and `offsets` says where each begins; a block is then one of bytes. A
SHA-256 in the header covers type, shape, offsets and these hashes. So a reader hashes the blocks that it needs, and no
others.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from heft.artifacts import CHECKSUM
from heft.checksum import damaged, opened_artifact, without_checksum
from heft.data.texts import Texts

BLOCK_BYTES = 4096  # at most, where a row is not larger: the rows of a split lie scattered
LARGEST_HEADER = 4096  # bytes
Type = np.dtype[Any]
TYPES: dict[str, Type] = {"F32": np.dtype(np.float32), "F64": np.dtype(np.float64), "U8": np.dtype(np.uint8)}
OFFSETS: Type = np.dtype(np.int64)


def read_inputs(path: str | Path) -> np.ndarray:
    """All inputs [n, ...] of a file that holds no texts, verified."""
    return np.array(InputsFile(path).verified())


class InputsFile:
    """An open `inputs.safetensors`: its number of rows, their `shape` and `dtype`, and rows that were verified."""

    def __init__(self, path: str | Path) -> None:
        """Maps the file; raises HeftError where it is missing, cut, of another form, or its header was changed."""
        self.path = Path(path)
        with opened_artifact(self.path) as opened:
            length = int.from_bytes(opened.read(8), "little")
            text = opened.read(length) if length <= LARGEST_HEADER else b""
            size = opened.seek(0, 2)
        try:
            header = json.loads(text)
            checksum, dtype = header["__metadata__"][CHECKSUM], TYPES[header["inputs"]["dtype"]]
            shapes = {name: tuple(map(int, header[name]["shape"])) for name in ("inputs", "block_sha256")}
            n_offsets = math.prod(header["offsets"]["shape"]) if "offsets" in header else 0
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise without_checksum(self.path) from error
        shape, n_hashes = shapes["inputs"], math.prod(shapes["block_sha256"])
        n_bytes, n_offset_bytes = dtype.itemsize * math.prod(shape), OFFSETS.itemsize * n_offsets
        if (
            not shape
            or min(shape) < (0 if n_offsets else 1)
            or size != 8 + length + n_bytes + n_offset_bytes + n_hashes
        ):
            raise damaged(self.path)
        # Writable copies of pages, since torch warns of an array that is not; nothing reaches the file.
        mapped = np.asarray(np.memmap(self.path, np.uint8, "c", offset=8 + length))
        self._inputs = mapped[:n_bytes].view(dtype).reshape(shape)
        self._offsets = np.frombuffer(mapped[n_bytes : n_bytes + n_offset_bytes].tobytes(), OFFSETS)
        self._step = rows_per_block(shape, dtype)
        self._hashes = mapped[n_bytes + n_offset_bytes :].reshape(-1, 32)
        if shapes["block_sha256"] != (-(-shape[0] // self._step), 32):
            raise damaged(self.path)
        if checksum_of(dtype, shape, self._offsets, self._hashes) != checksum:
            raise damaged(self.path)
        self._is_verified = np.zeros(len(self._hashes), bool)

    def __len__(self) -> int:
        return len(self._offsets) - 1 if len(self._offsets) else len(self._inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a row; of a text that of a single value."""
        return () if len(self._offsets) else self._inputs.shape[1:]

    @property
    def dtype(self) -> Type:
        """The type of a value; of texts that of their bytes."""
        return self._inputs.dtype

    def verified(self, rows: Sequence[int] | np.ndarray | None = None) -> Any:
        """The inputs of all rows, mapped, after the blocks of `rows` (None: all) were verified once; use no other rows.

        An array [n, ...], or `Texts`.
        """
        needed = np.arange(len(self._hashes)) if rows is None else self._blocks_of(np.asarray(rows, np.int64))
        for block in needed[~self._is_verified[needed]]:
            content = self._inputs[block * self._step : (block + 1) * self._step]
            if hashlib.sha256(content.data).digest() != self._hashes[block].tobytes():
                raise damaged(self.path)
            self._is_verified[block] = True
        return Texts(self._inputs, self._offsets) if len(self._offsets) else self._inputs

    def _blocks_of(self, rows: np.ndarray) -> np.ndarray:
        if not len(self._offsets):
            return np.unique(rows // self._step)
        first, last = self._offsets[rows] // self._step, (self._offsets[rows + 1] - 1) // self._step
        blocks = [np.arange(start, end + 1) for start, end in zip(first, last, strict=True)]
        return np.unique(np.concatenate(blocks)) if blocks else np.array([], np.int64)


class ChosenRows(Sequence[Any]):
    """Some rows of a file in their order, each of which is read and verified when it is asked for."""

    def __init__(self, file: InputsFile, rows: np.ndarray) -> None:
        self._file, self._rows = file, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        row = int(self._rows[place])
        return self._file.verified([row])[row]


def rows_per_block(shape: Sequence[int], dtype: Type) -> int:
    """How many rows of inputs [n, ...] one SHA-256 covers."""
    return max(1, BLOCK_BYTES // (dtype.itemsize * math.prod(shape[1:])))


def checksum_of(dtype: Type, shape: Sequence[int], offsets: np.ndarray, hashes: np.ndarray) -> str:
    """The SHA-256 that stands in the header."""
    described = f"{dtype.name} {list(shape)} {len(offsets)}".encode()
    return f"sha256:{hashlib.sha256(described + offsets.tobytes() + hashes.tobytes()).hexdigest()}"
