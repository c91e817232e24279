"""table: a person's own table, as CSV, TSV or Parquet, one row an example."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from heft.data.sources.declare import RawData, source
from heft.data.table_rows import rows_of_table
from heft.data.tables.files import read_tables
from heft.data.tables.inputs import ColumnOptions
from heft.data.tables.roles import Roles, check_columns


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
    return rows_of_table(rows, roles, options, list(files), {file.name: file for file in files.values()})
