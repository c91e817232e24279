"""A data set from the rows of a table, whose other columns are the inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from heft.data.labelled_rows import labelled_rows
from heft.data.modalities.mixed_columns import MixedColumns
from heft.data.raw_data import RawData
from heft.data.tables.files import FileTable
from heft.data.tables.inference import DATE
from heft.data.tables.inputs import ColumnOptions, TableInputs, inputs_of_table
from heft.data.tables.leakage import told_by
from heft.data.tables.roles import Roles, labels_of_table


def rows_of_table(
    rows: FileTable, roles: Roles, options: ColumnOptions, parts: Sequence[str], files: Mapping[str, Path]
) -> RawData:
    """The columns but for those of `roles`, of each row with a target. parts: the split of each file of the table."""
    labels = labels_of_table(rows, roles, options.missing)
    without = sorted({*range(len(rows))} - {*labels.rows.tolist()})
    kept = rows.take(labels.rows)
    inputs = inputs_of_table(kept, options, others=roles.named.values())
    notes = [*inputs.notes, *told_by(inputs.columns, labels.labels)]
    modality = _modality(inputs, options)
    raw = labelled_rows(inputs.values, modality, kept, roles, parts, missing=options.missing, files=files, notes=notes)
    return replace(raw, skipped=[(rows.where(row), f"{roles.target} is missing") for row in without])


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
