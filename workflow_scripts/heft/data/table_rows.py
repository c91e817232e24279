"""A data set from the rows of a table, whose other columns are the inputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from heft.data.modalities.mixed_columns import MixedColumns
from heft.data.raw_data import RawData
from heft.data.tables.files import FileTable
from heft.data.tables.inference import DATE
from heft.data.tables.inputs import ColumnOptions, TableInputs, inputs_of_table
from heft.data.tables.leakage import told_by
from heft.data.tables.roles import (
    Roles,
    groups_of_table,
    ids_of_table,
    labels_of_table,
    split_of_table,
    trusted_of_table,
)


def rows_of_table(
    rows: FileTable, roles: Roles, options: ColumnOptions, parts: Sequence[str], files: Mapping[str, Path]
) -> RawData:
    """The columns but for those of `roles`, of each row with a target. parts: the split of each file of the table."""
    labels = labels_of_table(rows, roles, options.missing)
    without = sorted({*range(len(rows))} - {*labels.rows.tolist()})
    skipped = [(rows.where(row), f"{roles.target} is missing") for row in without]
    rows = rows.take(labels.rows)
    inputs = inputs_of_table(rows, options, others=roles.named.values())
    modality, values = _modality(inputs, options), inputs.values
    return RawData(
        values,
        labels.labels,
        ids_of_table(rows, roles.id, [modality.hash(row) for row in values], parts),
        labels.class_names,
        files,
        modality,
        labels.true_labels,
        groups_of_table(rows, roles.group, options.missing),
        split_of_table(rows, roles.split, parts),
        trusted=trusted_of_table(rows, roles.trusted),
        skipped=skipped,
        notes=[*labels.notes, *inputs.notes, *told_by(inputs.columns, labels.labels)],
    )


def _modality(inputs: TableInputs, options: ColumnOptions) -> MixedColumns:
    columns = inputs.columns
    return MixedColumns(
        names=[column.name for column in columns],
        categories={column.name: column.categories for column in columns if column.categories},
        dates=[column.name for column in columns if column.kind == DATE],
        with_missing=[column.name for column in columns if np.isnan(column.values).any()],
        max_categories=options.max_categories,
        scaling=options.scaling,
        left_out=inputs.left_out,
    )
