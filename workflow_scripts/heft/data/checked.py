"""Checks what a source returned: fields of their declared types, as many entries in each, and one modality."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heft.data.fields.arrays import array_of
from heft.data.fields.labels import TRUE, labels_of, named_labels
from heft.data.fields.names import files_of, groups_of, ids_of, names_of, split_of
from heft.data.modalities.declare import Modality, with_axes, written
from heft.data.sources.declare import RawData
from heft.errors import HeftError


@dataclass(frozen=True)
class CheckedData:
    """A data set of n examples. inputs: float32 [n, ...]. labels, true_labels: int64 [n]; the latter where known.

    modality_facts: the modality as it stands in `manifest.json`. groups, split: one text an example, or None.
    """

    inputs: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray | None
    ids: list[str]
    class_names: list[str]
    files: dict[str, Path]
    modality: Modality
    modality_facts: dict[str, Any]
    groups: list[str] | None
    split: list[str] | None


def check_raw_data(raw: RawData, source: str) -> CheckedData:
    """The same data, each field of its declared type, converted where nothing is lost by that (see `heft.data.fields`).

    Raises HeftError naming the source, the row or field and the value where that cannot be, or where inputs, labels and
    ids are not one data set.
    """
    try:
        names, labels, true_labels = _labels(raw)
        modality = _modality_of(raw.inputs) if raw.modality is None else raw.modality
        if not isinstance(modality, Modality):
            raise HeftError(f"modality is {modality!r}; expected a modality, such as Images() or Tables().")
        inputs = modality.check(raw.inputs)
        ids = [f"{row:07d}" for row in range(len(inputs))] if raw.ids is None else ids_of(raw.ids)
        _check_lengths(inputs, labels, ids)
        if true_labels is not None and len(true_labels) != len(ids):
            raise HeftError(
                f"true_labels has {len(true_labels)} entries; expected one for each of {len(ids)} examples."
            )
        return CheckedData(
            inputs,
            labels,
            true_labels,
            ids,
            names,
            files_of(raw.files),
            modality,
            written(modality, inputs.shape[1:]),
            None if raw.groups is None else groups_of(raw.groups, len(ids)),
            None if raw.split is None else split_of(raw.split, len(ids)),
        )
    except HeftError as error:
        raise HeftError(f"Data source {source}: {error}") from error


def _labels(raw: RawData) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    if raw.class_names is None:
        return named_labels(raw.labels, raw.true_labels)
    names = names_of(raw.class_names)
    true = None if raw.true_labels is None else labels_of(raw.true_labels, len(names), TRUE)
    return names, labels_of(raw.labels, len(names)), true


def _modality_of(inputs: Any) -> Modality:
    """The one modality with as many axes as the inputs have; raises HeftError where there is none, or several."""
    shape = array_of(inputs, "inputs").shape
    fitting = with_axes(len(shape) - 1)
    if len(fitting) == 1:
        return next(iter(fitting.values()))()
    which = f"which may be {' or '.join(fitting)}" if fitting else "which no modality has"
    raise HeftError(f"inputs have shape {shape}, {which}; return RawData with a modality that fits.")


def _check_lengths(inputs: np.ndarray, labels: np.ndarray, ids: Sequence[str]) -> None:
    if not len(inputs) == len(labels) == len(ids) > 0:
        matched = "do not match" if len({len(inputs), len(labels), len(ids)}) > 1 else "are no data set"
        raise HeftError(f"{len(inputs)} inputs, {len(labels)} labels and {len(ids)} ids {matched}.")
