"""Reads and writes artifacts: a killed job leaves nothing that looks finished, and what is read is what was written."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

from heft.atomic_files import atomic_path
from heft.checksum import BLANK, check, fill_in, opened_artifact
from heft.errors import HeftError
from heft.faults import error_number

CHECKSUM = "checksum"  # the name of an artifact's SHA-256 in its JSON, schema or header


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """Writes JSON, with its SHA-256 as a last key; NaN and infinity are refused (ValueError), keys keep their order."""
    # Piece by piece: the text of a data set with very many files would take more memory than they.
    pieces = json.JSONEncoder(indent=1, ensure_ascii=False, allow_nan=False).iterencode({**value, CHECKSUM: BLANK})
    with atomic_path(path) as temporary:
        with temporary.open("w", encoding="utf-8") as opened:
            opened.writelines(pieces)
            opened.write("\n")
        fill_in(temporary)


def read_json(path: str | Path) -> dict[str, Any]:
    """Reads JSON without its SHA-256; raises HeftError naming the file where it is not what was written."""
    check(Path(path))
    try:
        value: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HeftError(f"{path} is not valid JSON ({error}); delete it and run again.") from error
    del value[CHECKSUM]
    return value


def write_parquet(path: str | Path, table: "pd.DataFrame", metadata: Mapping[str, str] | None = None) -> None:
    """Writes a table as Parquet, with `metadata` and its SHA-256 in the file's schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **(metadata or {}), CHECKSUM: BLANK})
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary)
        fill_in(temporary)


def read_parquet(path: str | Path) -> "pd.DataFrame":
    """Reads a Parquet table; raises HeftError naming the file where it is not what was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    check(Path(path))
    try:
        return pq.ParquetFile(path).read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        if error_number(error) is not None:  # a fault of the machine, not of the file
            raise
        raise HeftError(f"{path} is not a readable Parquet file ({error}); delete it and run again.") from error


def write_tensors(path: str | Path, tensors: Mapping[str, "Tensor"]) -> None:
    """Writes named tensors as safetensors, with their SHA-256 in the header."""
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, {CHECKSUM: BLANK})
        fill_in(temporary, at_start=True)


def read_tensors(path: str | Path, *, verified: bool = True) -> dict[str, "Tensor"]:
    """Reads safetensors; raises HeftError naming the file where it is not what was written.

    verified: False where the caller compares each tensor with a hash of its own.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with opened_artifact(Path(path)):  # or says what is in its place
        pass
    if verified:
        check(Path(path), at_start=True)
    try:
        return load_file(path)
    except SafetensorError as error:
        raise HeftError(f"{path} is not a readable safetensors file ({error}); delete it and run again.") from error


def sha256_of_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
