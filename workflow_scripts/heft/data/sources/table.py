"""table: a person's own table, as CSV, TSV or Parquet, one row an example."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from heft.data.sources.declare import RawData, source
from heft.data.table_rows import rows_of_table
from heft.data.tables.files import named_files, read_tables
from heft.data.tables.inputs import ColumnOptions
from heft.data.tables.roles import Roles, check_columns


@source(
    origin="a file of your own",
    paths=["path", "validation_path", "test_path"],
    true_labels=None,
    modality="mixed_columns",
)
def table(
    data_dir: Path | None,
    *,
    path: str,
    target: str | int | None = None,
    validation_path: str | None = None,
    test_path: str | None = None,
    numeric: Sequence[str | int] = (),
    categorical: Sequence[str | int] = (),
    leave_out: Sequence[str | int] = (),
    id: str | int | None = None,
    group: str | int | None = None,
    split: str | int | None = None,
    true_label: str | int | None = None,
    trusted: str | int | None = None,
    header: bool = True,
    missing: Sequence[str] = ("NA", "N/A", "NaN", "nan", "null", "NULL", "?"),
    encoding: str | None = None,
    separator: str | None = None,
    decimal: Literal[".", ","] | None = None,
    max_categories: Annotated[int, Ge(2)] = 50,
    scaling: Literal["standard", "quantiles"] = "standard",
) -> RawData:
    """Raw values of the columns; what they are scaled and encoded with is fitted on the training split of each seed.

    target and all else that names columns: by name, or if the first line is an example (header: false) by number from
    1. A row without a target is skipped. Columns that are neither named as numeric nor as categorical are inferred.
    """
    paths = {"train": path, "validation": validation_path, "test": test_path}
    files = {part: Path(file) for part, file in paths.items() if file}
    rows = read_tables(list(files.values()), encoding=encoding, separator=separator, header=header)
    others = (None if one is None else str(one) for one in (true_label, id, group, split, trusted))
    roles = Roles("" if target is None else str(target), *others)
    told, words, left_out = ([str(column) for column in columns] for columns in (numeric, categorical, leave_out))
    options = ColumnOptions(told, words, left_out, missing, decimal, max_categories, scaling)
    check_columns(rows, roles, options.named)
    return rows_of_table(rows, roles, options, list(files), named_files(files))
