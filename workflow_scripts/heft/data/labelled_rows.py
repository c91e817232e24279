"""A data set from inputs, and a table of what is known of each: class, true class, id, group and split."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from heft.data.modalities.declare import Modality
from heft.data.raw_data import RawData
from heft.data.tables.files import FileTable
from heft.data.tables.roles import (
    Roles,
    groups_of_table,
    ids_of_table,
    labels_of_table,
    split_of_table,
    trusted_of_table,
)
from heft.errors import HeftError

NO_VALUE = ("",)


def labelled_rows(
    inputs: Any,
    modality: Modality,
    table: FileTable,
    roles: Roles,
    parts: Sequence[str],
    *,
    hash_of: Callable[[Any], str] | None = None,
    missing: Collection[str] = NO_VALUE,
    skipped: Mapping[int, str] = {},
    files: Mapping[str, Path],
    notes: Sequence[str] = (),
) -> RawData:
    """The inputs of rows with a label; the others are skipped, as are those of `skipped`, {row: reason}.

    inputs: an array, a list, or a column, an entry for each row of the table. parts: the split of each of its files.
    hash_of: of an input; by default that of the modality. missing: what stands for no class and no group, beside
    nothing. Raises HeftError where `roles` or the labels do not fit.
    """
    present = np.array([row for row in range(len(table)) if row not in skipped], np.int64)
    labels = labels_of_table(table.take(present), roles, missing)
    rows = present[labels.rows]
    kept, left = table.take(rows), taken(inputs, rows)
    reasons = {**dict.fromkeys(sorted({*present.tolist()} - {*rows.tolist()}), "it has no label"), **skipped}
    hashes = [(hash_of or modality.hash)(one) for one in left]
    return RawData(
        inputs=left,
        labels=labels.labels,
        ids=ids_of_table(kept, roles.id, hashes, parts),
        class_names=labels.class_names,
        files=files,
        modality=modality,
        true_labels=labels.true_labels,
        groups=groups_of_table(kept, roles.group, missing),
        split=split_of_table(kept, roles.split, parts),
        trusted=trusted_of_table(kept, roles.trusted),
        skipped=[(table.where(row), reasons[row]) for row in sorted(reasons)],
        notes=[*notes, *labels.notes],
    )


def taken(inputs: Any, rows: np.ndarray) -> Any:
    """These rows of an array, a list or a column; all of them without a copy."""
    if len(rows) == len(inputs):
        return inputs
    if isinstance(inputs, pa.ChunkedArray):
        return inputs.take(pa.array(rows))
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]


def with_names_of_classes(table: FileTable, roles: Roles, class_names: Mapping[str, Sequence[str]]) -> FileTable:
    """The table, in which labels that are places of classes are their names; class_names: of such columns."""
    for option, column in roles.named.items():
        if option in (roles.target_option, "true_label") and column in class_names:
            table = table.with_column(column, named_classes(table, column, option, class_names[column]))
    return table


def named_classes(table: FileTable, column: str, option: str, names: Sequence[str]) -> pa.ChunkedArray:
    """The names of classes that a column of whole numbers from 0 stands for; missing where it holds -1 or nothing.

    Raises HeftError naming the row where a number stands for none.
    """
    numbers = table.columns[column].to_pylist()
    words: list[str | None] = []
    for row, number in enumerate(numbers):
        known = isinstance(number, int | float) and -1 <= number < len(names) and number == int(number)
        if not known and number is not None:
            raise HeftError(
                f"{option} {column} holds {number} ({table.where(row)}); the {len(names)} classes are 0 to "
                f"{len(names) - 1}."
            )
        words.append(None if number is None or number < 0 else names[int(number)])
    return pa.chunked_array([pa.array(words, pa.large_string())])


def in_order(raw: RawData, names: Sequence[str]) -> RawData:
    """The same with its classes in the order that they have among `names`."""
    order = sorted(range(len(raw.class_names)), key=lambda label: names.index(raw.class_names[label]))
    places = np.argsort(order)
    return replace(
        raw,
        class_names=[raw.class_names[label] for label in order],
        labels=places[raw.labels],
        true_labels=None if raw.true_labels is None else places[raw.true_labels],
    )
