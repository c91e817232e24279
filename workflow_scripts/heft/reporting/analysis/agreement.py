"""How alike the plain methods rank the training examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import ReportedVariant


@dataclass(frozen=True)
class Agreement:
    """Spearman's correlations, mean over seeds: matrix[slug, slug]; neighbours in `shown` rank alike.

    lowest, highest: the range over seeds, of the same shape. n_seeds: how many stand behind it.
    """

    shown: Sequence[ReportedVariant]
    matrix: pd.DataFrame
    lowest: pd.DataFrame
    highest: pd.DataFrame
    n_seeds: int


def agreement_of(table: pd.DataFrame, comparison: Comparison) -> Agreement | None:
    """Agreement of the plain methods in a table of seed, variant, other, spearman; None where it has fewer than two."""
    known = set(table["variant"]) | set(table["other"])
    plain = [variant for variant in comparison.variants if variant.plain and variant.slug in known]
    if len(plain) < 2:
        return None
    slugs = [variant.slug for variant in plain]
    grouped = table.astype({"spearman": float}).groupby(["variant", "other"])["spearman"]
    mean, lowest, highest = (_symmetric(pairs, slugs) for pairs in (grouped.mean(), grouped.min(), grouped.max()))
    order = _neighbours_alike(mean.to_numpy())
    return Agreement([plain[k] for k in order], mean, lowest, highest, table["seed"].nunique())


def _symmetric(pairs: pd.Series, slugs: list[str]) -> pd.DataFrame:
    matrix = pairs.unstack().reindex(index=slugs, columns=slugs)
    matrix = matrix.combine_first(matrix.T).reindex(index=slugs, columns=slugs)
    return matrix.where(~np.eye(len(slugs), dtype=bool), 1.0)


def _neighbours_alike(matrix: np.ndarray) -> list[int]:
    """Order of the rows by average linkage, so that what ranks alike stands together."""
    distances = np.clip(1 - np.nan_to_num(matrix[np.triu_indices(len(matrix), 1)]), 0, 2)  # rounding may exceed 1
    return [int(k) for k in leaves_list(linkage(distances, "average", optimal_ordering=True))]
