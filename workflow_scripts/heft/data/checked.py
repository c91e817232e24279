"""Checks what a source returned: fields of their declared types, as many entries in each, and one modality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from heft.data.fields.arrays import array_of
from heft.data.fields.labels import TRUE, labels_of, named_labels, trusted_of
from heft.data.fields.names import files_of, groups_of, ids_of, names_of, split_of
from heft.data.modalities.declare import Modality, with_axes, written
from heft.data.row_stream import RowStream
from heft.data.sources.declare import RawData
from heft.errors import HeftError
from heft.phrases import on_one_line


@dataclass(frozen=True)
class CheckedData:
    """A data set of n examples. inputs: an array [n, ...], n texts, or a stream of n. labels, true_labels: int64 [n];
    the latter where known.

    input_shape: of one input. modality_facts: the modality as it stands in `manifest.json`. groups, split: one text an
    example, trusted: bool [n], or None. missing, skipped, notes: as in `RawData`.
    """

    inputs: Any
    labels: np.ndarray
    true_labels: np.ndarray | None
    ids: list[str]
    class_names: list[str]
    files: dict[str, Path]
    missing: list[Path]
    modality: Modality
    modality_facts: dict[str, Any]
    groups: list[str] | None
    split: list[str] | None
    trusted: np.ndarray | None
    skipped: list[tuple[str, str]]
    notes: list[str]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input; of a text ()."""
        return () if isinstance(self.inputs, list) else shape_of(self.inputs)

    def without(self, reasons: Mapping[int, str], notes: Sequence[str] = ()) -> "CheckedData":
        """The same without some rows, but with their inputs, and without classes of which no example is left.

        reasons: {row: why it is skipped}. notes: further ones. Raises HeftError where no example is left, or one class.
        """
        if not reasons:
            return replace(self, notes=[*self.notes, *notes])
        kept = [row for row in range(len(self.ids)) if row not in reasons]
        if not kept:
            row, reason = next(iter(reasons.items()))
            raise HeftError(f"none of {len(self.ids)} inputs can be read; the first, {self.ids[row]}: {reason}.")
        left = replace(
            self,
            labels=self.labels[kept],
            true_labels=None if self.true_labels is None else self.true_labels[kept],
            ids=[self.ids[row] for row in kept],
            groups=None if self.groups is None else [self.groups[row] for row in kept],
            split=None if self.split is None else [self.split[row] for row in kept],
            trusted=None if self.trusted is None else self.trusted[kept],
            skipped=[*self.skipped, *((self.ids[row], reason) for row, reason in reasons.items())],
            notes=[*self.notes, *notes],
        )
        return without_empty_classes(left)


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
        inputs = raw.inputs if isinstance(raw.inputs, RowStream) else modality.check(raw.inputs)
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
            [Path(path) for path in raw.missing],
            modality,
            written(modality, () if isinstance(inputs, list) else shape_of(inputs)),
            None if raw.groups is None else groups_of(raw.groups, len(ids)),
            None if raw.split is None else split_of(raw.split, len(ids)),
            None if raw.trusted is None else trusted_of(raw.trusted, len(ids)),
            list(raw.skipped),
            list(raw.notes),
        )
    except HeftError as error:
        raise HeftError(f"Data source {source}: {error}") from error


def without_empty_classes(data: CheckedData) -> CheckedData:
    """The same without classes that no label and no true label names; raises HeftError where one is left."""
    columns = [data.labels] if data.true_labels is None else [data.labels, data.true_labels]
    left = np.unique(np.concatenate(columns))
    gone = sorted(set(range(len(data.class_names))) - set(left.tolist()))
    if not gone:
        return data
    named = ", ".join(f'"{on_one_line(data.class_names[label])}"' for label in gone)
    names = [data.class_names[label] for label in left]
    if len(names) < 2:
        raise HeftError(f"no example of {named} can be read, which leaves one class, {on_one_line(names[0])}.")
    return replace(
        data,
        labels=np.searchsorted(left, data.labels),
        true_labels=None if data.true_labels is None else np.searchsorted(left, data.true_labels),
        class_names=names,
        notes=[*data.notes, f"No example of {named} can be read, so the data set goes without that class."],
    )


def shape_of(inputs: np.ndarray | RowStream) -> tuple[int, ...]:
    """The shape of one input of an array or a stream."""
    return inputs.shape if isinstance(inputs, RowStream) else inputs.shape[1:]


def _labels(raw: RawData) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    if raw.class_names is None:
        return named_labels(raw.labels, raw.true_labels)
    names = names_of(raw.class_names)
    true = None if raw.true_labels is None else labels_of(raw.true_labels, len(names), TRUE)
    return names, labels_of(raw.labels, len(names)), true


def _modality_of(inputs: Any) -> Modality:
    """The one modality with as many axes as the inputs have; raises HeftError where there is none, or several."""
    if isinstance(inputs, RowStream):
        raise HeftError("inputs are a stream; return RawData with a modality that says what they are.")
    shape = array_of(inputs, "inputs").shape
    fitting = with_axes(len(shape) - 1)
    if len(fitting) == 1:
        return next(iter(fitting.values()))()
    which = f"which may be {' or '.join(fitting)}" if fitting else "which no modality has"
    raise HeftError(f"inputs have shape {shape}, {which}; return RawData with a modality that fits.")


def _check_lengths(inputs: Any, labels: np.ndarray, ids: Sequence[str]) -> None:
    if not len(inputs) == len(labels) == len(ids) > 0:
        matched = "do not match" if len({len(inputs), len(labels), len(ids)}) > 1 else "are no data set"
        raise HeftError(f"{len(inputs)} inputs, {len(labels)} labels and {len(ids)} ids {matched}.")
