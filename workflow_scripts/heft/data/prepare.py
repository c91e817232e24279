"""Reads a data source once, checks it, and writes it as the three files that all later stages read."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.artifacts import sha256_of_file, write_json, write_parquet
from heft.atomic_files import atomic_path
from heft.data.sources.registry import RawData
from heft.errors import HeftError
from heft.registry import declarations


def prepare(source: str, data_dir: Path | None, folder: Path) -> None:
    """Writes `inputs.safetensors`, `examples.parquet` and `manifest.json` (last) into `folder`.

    Raises HeftError, and leaves `folder` as it was, where a source file is missing, changed or truncated, or its
    content is not a classification data set.
    """
    # torch-free, so that the job starts fast.
    from safetensors.numpy import save_file

    declaration = declarations("data/sources")[source]
    raw: RawData = declaration.load()(data_dir)
    check_raw_data(raw, source)
    _check_size(raw, source, declaration.fields.get("size"))
    examples = pd.DataFrame(
        {
            "id": raw.ids,
            "row": np.arange(len(raw.ids)),
            "content_hash": [hashlib.sha256(example.tobytes()).hexdigest() for example in raw.inputs],
            "label": raw.labels,
        }
    )
    if raw.official_test is not None:
        examples["official_test"] = raw.official_test
    with atomic_path(folder / "inputs.safetensors") as temporary:
        save_file({"inputs": np.ascontiguousarray(raw.inputs)}, temporary)
    write_parquet(folder / "examples.parquet", examples)
    write_json(folder / "manifest.json", _manifest(source, declaration.fields, raw, examples))


def check_raw_data(raw: RawData, source: str) -> None:
    """Raises HeftError naming the source and the row where inputs, labels and ids are not one data set."""
    n, n_classes = len(raw.ids), len(raw.class_names)
    if raw.inputs.ndim != 4 or raw.inputs.dtype != np.float32:
        raise HeftError(
            f"Data source {source}: inputs have shape {raw.inputs.shape} and type {raw.inputs.dtype}; "
            "expected float32 of shape [n, channels, height, width]."
        )
    if not len(raw.inputs) == len(raw.labels) == n > 0:
        raise HeftError(
            f"Data source {source}: {len(raw.inputs)} inputs, {len(raw.labels)} labels and {n} ids do not match."
        )
    if raw.official_test is not None and (raw.official_test.dtype != bool or raw.official_test.shape != (n,)):
        raise HeftError(
            f"Data source {source}: official_test is {raw.official_test.dtype} of shape {raw.official_test.shape}; "
            f"expected bool of shape ({n},)."
        )
    not_finite = np.flatnonzero(~np.isfinite(raw.inputs).all(axis=(1, 2, 3)))
    if len(not_finite):
        raise HeftError(f"Data source {source}: row {not_finite[0]} holds a value that is not finite.")
    if not np.issubdtype(raw.labels.dtype, np.integer):
        raise HeftError(f"Data source {source}: labels are {raw.labels.dtype}; expected whole numbers.")
    wrong = np.flatnonzero((raw.labels < 0) | (raw.labels >= n_classes))
    if len(wrong):
        raise HeftError(
            f"Data source {source}: row {wrong[0]} has label {raw.labels[wrong[0]]}; labels are 0 to {n_classes - 1}."
        )
    repeated = pd.Series(raw.ids).duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise HeftError(f"Data source {source}: row {row} repeats the id {raw.ids[row]}; ids are unique.")


def _check_size(raw: RawData, source: str, declared: dict[str, Any] | None) -> None:
    found = {"n": len(raw.ids), "input_shape": list(raw.inputs.shape[1:]), "n_classes": len(raw.class_names)}
    if declared is not None and declared != found:
        raise HeftError(f"Data source {source}: its size is declared as {declared}; it has {found}.")


def dataset_digest(examples: pd.DataFrame, class_names: list[str]) -> str:
    """SHA-256 over ids, contents, labels and class names: the data set's identity, wherever its files lie."""
    digest = hashlib.sha256("\n".join(class_names).encode())
    for row in examples[["id", "content_hash", "label"]].itertuples(index=False):
        digest.update(f"\n{row.id}\t{row.content_hash}\t{row.label}".encode())
    return digest.hexdigest()


def _manifest(source: str, fields: dict[str, Any], raw: RawData, examples: pd.DataFrame) -> dict[str, Any]:
    return {
        "source": source,
        "origin": fields["origin"],
        "licence": fields["licence"],
        "files": {name: sha256_of_file(path) for name, path in raw.files.items()},
        "n": len(examples),
        "input_shape": list(raw.inputs.shape[1:]),
        "class_names": raw.class_names,
        "dataset_digest": dataset_digest(examples, raw.class_names),
        "display": raw.display,
    }
