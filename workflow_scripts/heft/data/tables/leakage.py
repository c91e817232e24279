"""Columns that alone tell the class: often they are known after it, and a model that sees them learns nothing else."""

from collections.abc import Sequence

import numpy as np

from heft.data.tables.inference import TypedColumn

MOST_VALUES = 50  # of a column that is looked at; more may tell rows apart by chance
NEARLY_ALL = 0.995  # of the rows


def told_by(columns: Sequence[TypedColumn], labels: np.ndarray) -> list[str]:
    """A sentence on each column whose values nearly all have one class each; labels: int64 [n]."""
    said = []
    for column in columns:
        values, places = np.unique(column.values, return_inverse=True)
        if len(values) <= min(MOST_VALUES, len(labels) / 10):
            counts = np.zeros((len(values), labels.max() + 1), np.int64)
            np.add.at(counts, (places, labels), 1)
            share = counts.max(axis=1).sum() / len(labels)
            if share >= NEARLY_ALL:
                said.append(
                    f"Column {column.name} alone tells the class of {100 * share:.4g} % of the rows; leave it out if "
                    "it is known only after the class is."
                )
    return said
