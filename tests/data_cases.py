"""Small data sets for the tests of data."""

import numpy as np
import pandas as pd


def examples_of(labels: list[int], contents: list[str] | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of examples, and inputs that say their row."""
    n = len(labels)
    table = pd.DataFrame({"id": [f"x{row:03d}" for row in range(n)], "row": np.arange(n), "label": labels})
    inputs = np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1)
    return table.assign(content_hash=contents or [str(row) for row in range(n)]), inputs


def balanced(n: int = 150) -> tuple[pd.DataFrame, np.ndarray]:
    return examples_of([row % 3 for row in range(n)])
