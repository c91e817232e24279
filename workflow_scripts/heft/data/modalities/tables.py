"""tables: rows of measured features, with the names of the columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heft.data.fields.arrays import number_or_each
from heft.data.fields.names import names_of
from heft.data.modalities.declare import Modality, Shown, modality
from heft.data.near.tables import similar_rows
from heft.data.tables.digest import digest_of_values
from heft.errors import HeftError

N_SHOWN = 4  # values of a row
ROUNDING = 1e-6  # of a column's standard deviation


@modality(axes=["features"])
@dataclass(frozen=True)
class Tables(Modality):
    """A measurement in its own unit is `inputs * std + mean`; both are a number, or one for each feature.

    feature_names: one for each column; without them columns are counted from 0.
    """

    duplicates = "together"
    feature_names: Sequence[str] | None = None
    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """`feature_names`, `mean` and `std`."""
        (n,) = input_shape
        given = [f"feature {column}" for column in range(n)] if self.feature_names is None else self.feature_names
        names = names_of(given, "feature_names", least=1)
        if len(names) != n:
            raise HeftError(f"feature_names has {len(names)} entries; expected one for each of {n} features.")
        numbers = (("mean", self.mean), ("std", self.std))
        return {"feature_names": names, **{key: number_or_each(value, n, key, "feature") for key, value in numbers}}

    def near_duplicates(self, inputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Pairs of places in `rows` whose values are equal but for rounding; see `heft.data.near.tables`."""
        return similar_rows(inputs, rows)

    def columns(self, inputs: np.ndarray) -> dict[str, dict[str, str]]:
        """Each feature, which is numeric."""
        names = self.facts(inputs.shape[1:])["feature_names"]
        return {
            name: {"kind": "numeric", "values": digest_of_values(inputs[:, column])}
            for column, name in enumerate(names)
        }

    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """The values of each row that lie farthest from their column's mean, in standard deviations of the column."""
        centre, spread = inputs.mean(axis=0, dtype=np.float64), inputs.std(axis=0, dtype=np.float64)
        chosen = inputs[list(rows)].astype(np.float64)
        away = np.divide(chosen - centre, spread, out=np.zeros_like(chosen), where=spread > 0)
        names = self.facts(inputs.shape[1:])["feature_names"]
        measured = chosen * np.asarray(self.std) + np.asarray(self.mean)
        measured[abs(measured) < ROUNDING * spread * np.asarray(self.std)] = 0  # what float32 has left of a zero
        return [
            Shown(values=[(names[column], f"{measured[row, column]:.4g}") for column in _largest(away[row])])
            for row in range(len(chosen))
        ]


def _largest(away: np.ndarray) -> list[int]:
    """The columns whose values lie farthest away, farthest first."""
    return [int(column) for column in np.argsort(-abs(away), kind="stable")[:N_SHOWN]]
