"""table: a person's own table, as CSV, TSV or Parquet, one row an example."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from heft.data.modalities.mixed_columns import MixedColumns
from heft.data.sources.declare import RawData, source
from heft.data.tables.files import FileTable, read_tables
from heft.data.tables.inference import DATE
from heft.data.tables.inputs import ColumnOptions, TableInputs, inputs_of_table
from heft.data.tables.roles import (
    Roles,
    check_columns,
    groups_of_table,
    ids_of_table,
    labels_of_table,
    split_of_table,
)


@source(origin="a file of your own", paths=["path", "validation_path", "test_path"], true_labels=None)
def table(
    data_dir: Path | None,
    *,
    path: str,
    target: str | None = None,
    validation_path: str | None = None,
    test_path: str | None = None,
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    id: str | None = None,
    group: str | None = None,
    split: str | None = None,
    true_label: str | None = None,
    missing: Sequence[str] = ("NA", "N/A", "NaN", "nan", "null", "NULL", "?"),
    encoding: str | None = None,
    separator: str | None = None,
    decimal: Literal[".", ","] | None = None,
    max_categories: Annotated[int, Ge(2)] = 50,
    scaling: Literal["standard", "quantiles"] = "standard",
) -> RawData:
    """Raw values of the columns; what they are scaled and encoded with is fitted on the training split of each seed.

    A row without a target is skipped. Columns that are neither named as numeric nor as categorical are inferred.
    """
    paths = {"train": path, "validation": validation_path, "test": test_path}
    files = {part: Path(file) for part, file in paths.items() if file}
    rows = read_tables(list(files.values()), encoding=encoding, separator=separator)
    roles = Roles(target or "", true_label, id, group, split)
    options = ColumnOptions(numeric, categorical, leave_out, missing, decimal, max_categories, scaling)
    check_columns(rows, roles, options.named)
    return _raw_data(rows, roles, options, files)


def _raw_data(rows: FileTable, roles: Roles, options: ColumnOptions, files: Mapping[str, Path]) -> RawData:
    labels = labels_of_table(rows, roles, options.missing)
    without = sorted({*range(len(rows))} - {*labels.rows.tolist()})
    skipped = [(rows.where(row), f"{roles.target} is missing") for row in without]
    rows, parts = rows.take(labels.rows), list(files)
    inputs = inputs_of_table(rows, options, others=roles.named.values())
    modality, values = _modality(inputs, options), inputs.values
    return RawData(
        values,
        labels.labels,
        ids_of_table(rows, roles.id, [modality.hash(row) for row in values], parts),
        labels.class_names,
        {file.name: file for file in files.values()},
        modality,
        labels.true_labels,
        groups_of_table(rows, roles.group, options.missing),
        split_of_table(rows, roles.split, parts),
        skipped=skipped,
        notes=[*labels.notes, *inputs.notes],
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
