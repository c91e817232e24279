"""Reads and writes artifacts so that a killed job leaves nothing that looks finished."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

from heft.atomic_files import atomic_path
from heft.errors import HeftError


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON; NaN and infinity are refused (ValueError), keys keep their order."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Reads JSON; raises HeftError naming the file where it is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HeftError(f"{path} is not valid JSON ({error}); delete it and run again.") from error


def write_parquet(path: str | Path, table: "pd.DataFrame", metadata: Mapping[str, str] | None = None) -> None:
    """Writes a table as Parquet, with `metadata` in the file's schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **(metadata or {})})
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary)


def read_parquet(path: str | Path) -> "pd.DataFrame":
    """Reads a Parquet table; raises HeftError naming the file where it is not Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path).to_pandas()
    except pa.ArrowInvalid as error:
        raise HeftError(f"{path} is not a readable Parquet file ({error}); delete it and run again.") from error


def write_tensors(path: str | Path, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, str] | None = None) -> None:
    """Writes named tensors as safetensors."""
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        save_file(
            {name: tensor.detach().contiguous() for name, tensor in tensors.items()}, temporary, dict(metadata or {})
        )


def read_tensors(path: str | Path) -> dict[str, "Tensor"]:
    """Reads safetensors; raises HeftError naming the file where it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise HeftError(f"{path} is not a readable safetensors file ({error}); delete it and run again.") from error


def sha256_of_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
