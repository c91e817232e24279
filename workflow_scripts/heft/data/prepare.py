"""Reads a data source once, checks it, and writes it as the three files that all later stages read."""

import hashlib
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.artifacts import sha256_of_file, write_json, write_parquet
from heft.data.fields import class_names_of, display_of, files_of, ids_of, inputs_of, labels_of, official_test_of
from heft.data.inputs import write_inputs
from heft.data.sources.declare import RawData
from heft.errors import HeftError
from heft.faults import sentence_of
from heft.registry import Declaration, declarations

LONGEST_REASON = 300


def prepare(source: str, data_dir: Path | None, folder: Path) -> None:
    """Writes `inputs.safetensors`, `examples.parquet` and `manifest.json` (last) into `folder`.

    Raises HeftError, and leaves `folder` as it was, where a source file is missing, changed or truncated, or its
    content is not a classification data set.
    """
    declaration = declarations("data/sources")[source]
    raw = check_raw_data(read_source(declaration, data_dir), source)
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
    write_inputs(folder / "inputs.safetensors", raw.inputs)
    write_parquet(folder / "examples.parquet", examples)
    write_json(folder / "manifest.json", _manifest(source, declaration.fields, raw, examples))


def read_source(declaration: Declaration, data_dir: Path | None) -> RawData:
    """What the source returns; raises HeftError naming it where it fails, in whatever way, or returns something else.

    A fault of the machine, such as too little memory, stays what it is.
    """
    try:
        raw = declaration.load()(data_dir)
    except HeftError:
        raise
    except (Exception, SystemExit) as error:
        if sentence_of(error) is not None:
            raise
        frames = traceback.extract_tb(error.__traceback__)
        place = next((one for one in reversed(frames) if Path(one.filename) == declaration.file), frames[-1])
        said = (str(error).strip().splitlines() or ["without a message"])[0][:LONGEST_REASON]
        raise HeftError(
            f"Data source {declaration.name} failed: {type(error).__name__}: {said.removesuffix('.')} "
            f"({Path(place.filename).name}, line {place.lineno})."
        ) from error
    if not isinstance(raw, RawData):
        raise HeftError(f"Data source {declaration.name} returned {type(raw).__name__}; expected RawData.")
    return raw


def check_raw_data(raw: RawData, source: str) -> RawData:
    """The same data, each field of its declared type, converted where nothing is lost by that (see `heft.data.fields`).

    Raises HeftError naming the source, the row or field and the value where that cannot be, or where inputs, labels and
    ids are not one data set.
    """
    try:
        names = class_names_of(raw.class_names)
        inputs, labels, ids = inputs_of(raw.inputs), labels_of(raw.labels, len(names)), ids_of(raw.ids)
        if not len(inputs) == len(labels) == len(ids) > 0:
            matched = "do not match" if len({len(inputs), len(labels), len(ids)}) > 1 else "are no data set"
            raise HeftError(f"{len(inputs)} inputs, {len(labels)} labels and {len(ids)} ids {matched}.")
        official_test = official_test_of(raw.official_test, len(ids))
        display, files = display_of(raw.display, inputs.shape[1]), files_of(raw.files)
    except HeftError as error:
        raise HeftError(f"Data source {source}: {error}") from error
    return RawData(inputs, labels, ids, names, files, display, official_test)


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
