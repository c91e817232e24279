"""Reads a data source once, checks it, and writes it as the three files that all later stages read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.artifacts import write_json, write_parquet
from heft.data.changes import DataSet, changes_between
from heft.data.checked import CheckedData, check_raw_data
from heft.data.identity import dataset_digest
from heft.data.inputs import InputsFile
from heft.data.near.examples import numbered
from heft.data.read_files import read_files
from heft.data.reading import read_source
from heft.data.stored import store_inputs
from heft.data.trusted import as_first_drawn, with_trusted
from heft.declaration import Declaration
from heft.errors import HeftError
from heft.phrases import on_one_line
from heft.registry import find

N_SHOWN = 5  # of what was skipped


@dataclass(frozen=True)
class Said:
    """Sentences: on what changed since the run before, and on what was left out of the data or done to it."""

    changes: list[str]
    notes: list[str]


def prepare(
    source: str,
    data_dir: Path | None,
    folder: Path,
    options: Mapping[str, Any] | None = None,
    *,
    files: str = "",
    needed_by: str = "",
    threads: int = 1,
    near_duplicates: bool = False,
    trusted: Path | None = None,
) -> Said:
    """Writes `inputs.safetensors`, `examples.parquet` and `manifest.json` (last) into `folder`.

    source: a registered name, or a person's own `package.module:function`. files: what tells the state of its files.
    needed_by: the method that needs true labels, or empty. threads: that read inputs one by one.
    near_duplicates: whether to look for some. trusted: a file with the ids of examples that were checked.
    Raises HeftError, and leaves `folder` as it was, where a source file is missing, changed or truncated, its content
    is not a classification data set, or it lacks true labels.
    """
    declaration, before = find("data/sources", source), DataSet.in_folder(folder)
    data = with_trusted(check_raw_data(read_source(declaration, data_dir, options or {}), source), trusted)
    _check_declared(data, source, declaration.fields)
    _check_true_labels(data, source, needed_by)
    inputs = folder / "inputs.safetensors"
    stored = store_inputs(inputs, data, source, threads)
    data = stored.data
    examples = as_first_drawn(examples_table(data, stored.hashes), data.class_names, before)
    if near_duplicates:
        examples["near_duplicate"] = numbered(examples, InputsFile(inputs).verified(), data.modality)
    write_parquet(folder / "examples.parquet", examples)
    read = read_files(data.files, declaration.fields.get("sha256") or {}, _beside(declaration, options or {}, data))
    manifest = _manifest(source, declaration.fields, data, examples) | {
        "files": read.shown,
        "read": {"state": files, "files": read.kept, "folders": read.folders},
    }
    changes = changes_between(before, DataSet(manifest, examples)) if before else []
    kept = before.manifest["changes"] if before else []  # the file stays the same where the data do
    write_json(folder / "manifest.json", manifest | {"changes": changes or kept})
    return Said(changes, [*data.notes, *sentences_of_skipped(data.skipped)])


def sentences_of_skipped(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """One sentence with the number of what was skipped, and the first few with the reason; none where nothing was."""
    if not skipped:
        return []
    counted = "1 example was" if len(skipped) == 1 else f"{len(skipped):,} examples were"
    shown = "; ".join(f"{on_one_line(name)} ({reason})" for name, reason in skipped[:N_SHOWN])
    return [f"{counted} skipped: {shown}{' and so on; manifest.json lists all' if len(skipped) > N_SHOWN else ''}."]


def examples_table(data: CheckedData, hashes: Sequence[str]) -> pd.DataFrame:
    """Columns id, row, content_hash and label, and where they are known true_label, group (a number), split and
    trusted."""
    examples = pd.DataFrame(
        {
            "id": data.ids,
            "row": np.arange(len(data.ids)),
            "content_hash": list(hashes),
            "label": data.labels,
        }
    )
    if data.true_labels is not None:
        examples["true_label"] = data.true_labels
    if data.groups is not None:
        examples["group"] = pd.Categorical(data.groups, group_names(data.groups)).codes.astype(np.int64)
    if data.split is not None:
        examples["split"] = data.split
    if data.trusted is not None:
        examples["trusted"] = data.trusted
    return examples


def group_names(groups: list[str]) -> list[str]:
    """The names of the groups, in the order of their numbers."""
    return sorted(set(groups))


def _check_true_labels(data: CheckedData, source: str, needed_by: str) -> None:
    if needed_by and data.true_labels is None:
        raise HeftError(
            f"Data source {source} gives no true labels, which the method {needed_by} needs; return true_labels, plant "
            "noise (data.noise.kind), or leave the method out."
        )


def _check_declared(data: CheckedData, source: str, declared: dict[str, Any]) -> None:
    size = {"n": len(data.ids), "input_shape": list(data.input_shape), "n_classes": len(data.class_names)}
    if declared.get("size") not in (None, size):
        raise HeftError(f"Data source {source}: its size is declared as {declared['size']}; it has {size}.")
    if declared and declared["true_labels"] not in (None, data.true_labels is not None):
        says = "says" if declared["true_labels"] else "does not say"
        has = "gives none" if data.true_labels is None else "gives some"
        raise HeftError(f"Data source {source}: its declaration {says} true_labels=True, but it {has}.")


def _beside(declaration: Declaration, options: Mapping[str, Any], data: CheckedData) -> list[Path]:
    """What was not read and counts all the same: what is missing, and all else where options say that data lie."""
    named = (options.get(name) for name in declaration.fields.get("paths", ()))
    return [*data.missing, *(Path(place) for place in named if isinstance(place, str))]


def _manifest(source: str, fields: dict[str, Any], data: CheckedData, examples: pd.DataFrame) -> dict[str, Any]:
    return {
        "source": source,
        "origin": fields.get("origin", ""),
        "licence": fields.get("licence", ""),
        "n": len(examples),
        "input_shape": data.modality.model_shape(data.input_shape),
        "class_names": data.class_names,
        "group_names": [] if data.groups is None else group_names(data.groups),
        "true_labels": data.true_labels is not None,
        "personal": ":" in source or bool(fields.get("paths")),
        "dataset_digest": dataset_digest(examples, data.class_names),
        "modality": data.modality_facts,
        "columns": data.modality.columns(data.inputs),
        "skipped": [{"id": name, "reason": reason} for name, reason in data.skipped],
        "notes": data.notes,
    }
