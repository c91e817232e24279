"""Files of tables as a person has them, read as a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.data.checked import CheckedData, check_raw_data
from heft.data.sources.table import table

N = 40
PLAIN: dict[str, Sequence[Any]] = {
    "age": [20 + k % 7 for k in range(N)],
    "colour": ["red", "green", "blue", "red"] * (N // 4),
    "pay": ["low", "high"] * (N // 2),
}


def write(folder: Path, content: dict[str, Sequence[Any]] | bytes, name: str = "a.csv", **options: Any) -> str:
    """The path of a file of bytes, or of columns in the form that its name says; options: of pandas.to_csv."""
    if isinstance(content, bytes):
        (folder / name).write_bytes(content)
    elif name.endswith(".parquet"):
        pd.DataFrame(content).to_parquet(folder / name, index=False)
    else:
        pd.DataFrame(content).to_csv(folder / name, **{"index": False, **options})
    return str(folder / name)


def read(path: str, **options: Any) -> CheckedData:
    return check_raw_data(table(None, path=path, **{"target": "pay", **options}), "table")


def kinds(data: CheckedData) -> dict[str, str]:
    """What each column is, by its name."""
    return {name: column["kind"] for name, column in data.modality.columns(data.inputs).items()}


def words(data: CheckedData) -> list[list[Any]]:
    """The rows with categories as words and missing values as None."""
    categories = data.modality_facts["categories"]
    names = data.modality_facts["names"]
    return [
        [
            None if np.isnan(value) else categories[name][int(value)] if name in categories else float(value)
            for name, value in zip(names, row, strict=True)
        ]
        for row in data.inputs
    ]


def with_column(name: str, values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    return {**PLAIN, name: values}
