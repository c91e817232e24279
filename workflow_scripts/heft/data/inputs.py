"""The data set's inputs in one file, mapped into memory and verified block by block; without torch.

`inputs.safetensors` holds `inputs` and `block_sha256`, the SHA-256 of each block of consecutive rows. A SHA-256 in the
header covers the shape and these hashes. So a reader hashes the blocks that it needs, and no others.
"""

import hashlib
import json
import math
from pathlib import Path

import numpy as np

from heft.artifacts import CHECKSUM
from heft.atomic_files import atomic_path
from heft.checksum import damaged, opened_artifact, without_checksum

BLOCK_BYTES = 4096  # at most, where a row is not larger: the rows of a split lie scattered
LARGEST_HEADER = 4096  # bytes


def write_inputs(path: str | Path, inputs: np.ndarray) -> None:
    """Writes inputs, float32 [n, ...]."""
    from safetensors.numpy import save_file

    inputs = np.ascontiguousarray(inputs)
    step = _rows_per_block(inputs.shape)
    blocks = [hashlib.sha256(inputs[first : first + step].data).digest() for first in range(0, len(inputs), step)]
    hashes = np.frombuffer(b"".join(blocks), np.uint8).reshape(-1, 32)
    with atomic_path(path) as temporary:
        tensors = {"inputs": inputs, "block_sha256": hashes}
        save_file(tensors, temporary, {CHECKSUM: _checksum(inputs.shape, hashes)})


def read_inputs(path: str | Path) -> np.ndarray:
    """All inputs, float32 [n, ...], verified."""
    return np.array(InputsFile(path).verified())


class InputsFile:
    """An open `inputs.safetensors`: its number of rows, and rows that were verified."""

    def __init__(self, path: str | Path) -> None:
        """Maps the file; raises HeftError where it is missing, cut, of another form, or its header was changed."""
        self.path = Path(path)
        with opened_artifact(self.path) as opened:
            length = int.from_bytes(opened.read(8), "little")
            text = opened.read(length) if length <= LARGEST_HEADER else b""
            size = opened.seek(0, 2)
        try:
            header = json.loads(text)
            checksum = header["__metadata__"][CHECKSUM]
            shape, hashes_shape = (tuple(map(int, header[name]["shape"])) for name in ("inputs", "block_sha256"))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise without_checksum(self.path) from error
        n_bytes, n_hashes = 4 * math.prod(shape), math.prod(hashes_shape)
        if not shape or min(shape) < 1 or hashes_shape != (-(-shape[0] // _rows_per_block(shape)), 32):
            raise damaged(self.path)
        if size != 8 + length + n_bytes + n_hashes:
            raise damaged(self.path)
        # Writable copies of pages, since torch warns of an array that is not; nothing reaches the file.
        mapped = np.asarray(np.memmap(self.path, np.uint8, "c", offset=8 + length))
        self._inputs = mapped[:n_bytes].view(np.float32).reshape(shape)
        self._hashes = mapped[n_bytes:].reshape(hashes_shape)
        if _checksum(shape, self._hashes) != checksum:
            raise damaged(self.path)

    def __len__(self) -> int:
        return len(self._inputs)

    def verified(self, rows: np.ndarray | None = None) -> np.ndarray:
        """The inputs of all rows, mapped, after the blocks of `rows` (None: all) were verified; use no other rows."""
        step = _rows_per_block(self._inputs.shape)
        for block in range(len(self._hashes)) if rows is None else np.unique(rows // step):
            content = self._inputs[block * step : (block + 1) * step]
            if hashlib.sha256(content.data).digest() != self._hashes[block].tobytes():
                raise damaged(self.path)
        return self._inputs


def _rows_per_block(shape: tuple[int, ...]) -> int:
    return max(1, BLOCK_BYTES // (4 * math.prod(shape[1:])))


def _checksum(shape: tuple[int, ...], hashes: np.ndarray) -> str:
    return f"sha256:{hashlib.sha256(f'{list(shape)}'.encode() + hashes.tobytes()).hexdigest()}"
