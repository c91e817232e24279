"""Columns of a person's Parquet file, as those of a CSV file are read."""

from pathlib import Path

from heft.data.columns import Columns


def columns_of_parquet(path: Path) -> Columns:
    """The columns as texts, in which a missing value is empty; raises HeftError where the file cannot be read."""
    from heft.data.tables.files import read_table  # here, since pyarrow takes a while
    from heft.data.tables.values import as_texts

    table = read_table(path)
    texts = {name: as_texts(column).fill_null("").to_pylist() for name, column in table.columns.items()}
    return Columns(path, texts, table.place_of.tolist())
