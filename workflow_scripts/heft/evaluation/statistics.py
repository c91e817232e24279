"""Paired differences over seeds, their t-intervals and Holm-corrected p-values.

A percentile bootstrap over 5 seeds covers 82 %, not 95 %; hence Student's t.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

ENOUGH_SEEDS = 5
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % t-interval; the unit is that of the values.

    values: seed -> value. low, high, p_value (two-sided, of mean 0) are NaN where no interval can be given: fewer
    than two seeds, or the same nonzero value for every seed (seeds that vary nothing say nothing about chance).
    """

    values: Mapping[int, float]
    mean: float
    low: float
    high: float
    p_value: float

    @property
    def n(self) -> int:
        """Number of seeds."""
        return len(self.values)

    @property
    def has_interval(self) -> bool:
        return isfinite(self.low) and isfinite(self.high)

    @property
    def wide(self) -> bool:
        """Whether so few seeds stand behind the interval that it is wide and should be read with care."""
        return self.n < ENOUGH_SEEDS

    @property
    def above_zero(self) -> bool:
        return self.has_interval and self.low > 0

    @property
    def below_zero(self) -> bool:
        return self.has_interval and self.high < 0


def estimate(values: pd.Series) -> Estimate:
    """Mean, interval and p-value of values indexed by seed; empty (NaN) values are left out."""
    known = values.dropna().sort_index().astype(float)
    by_seed = {int(seed): float(value) for seed, value in known.items()}
    n = len(known)
    mean = float(known.mean()) if n else nan
    if n < 2:
        return Estimate(by_seed, mean, nan, nan, nan)
    standard_error = float(known.std(ddof=1)) / sqrt(n)
    if standard_error <= 1e-12 * max(1.0, abs(mean)):
        return Estimate(by_seed, mean, 0.0, 0.0, 1.0) if mean == 0 else Estimate(by_seed, mean, nan, nan, nan)
    half_width = float(student_t.ppf(0.5 + LEVEL / 2, n - 1)) * standard_error
    p_value = 2 * float(student_t.sf(abs(mean) / standard_error, n - 1))
    return Estimate(by_seed, mean, mean - half_width, mean + half_width, p_value)


def paired_difference(treated: pd.Series, reference: pd.Series) -> Estimate:
    """Estimate of treated - reference, paired by seed (the index); seeds that only one of them has are left out."""
    return estimate(treated.sub(reference).dropna())


def holm(p_values: Iterable[float]) -> list[float]:
    """Holm's step-down correction, in the order given: controls the chance of any false claim (Holm 1979).

    NaN stays NaN and does not count as a comparison.
    """
    raw = np.asarray(list(p_values), dtype=float)
    corrected = np.full(len(raw), nan)
    known = np.flatnonzero(~np.isnan(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return corrected.tolist()


def rank_agreement(scores: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlation of each two columns of scores, one row an example: columns variant, other, spearman.

    Each two appear once, in the order of the columns; equal scores share their mean rank.
    """
    names = list(scores.columns)
    if len(names) < 2:
        return pd.DataFrame(columns=["variant", "other", "spearman"])
    correlation = np.atleast_2d(np.corrcoef(scores.rank().to_numpy(), rowvar=False))
    return pd.DataFrame(
        [
            (names[row], names[column], correlation[row, column])
            for row in range(len(names))
            for column in range(row + 1, len(names))
        ],
        columns=["variant", "other", "spearman"],
    )
