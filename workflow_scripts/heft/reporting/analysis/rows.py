"""The tables that a report is made of, with one type a column, and values of the long table by seed."""

from functools import cached_property

import pandas as pd

from heft.evaluation.columns import DIVERGED, LOSS, validation_metric
from heft.reporting.measure import Measure
from heft.reporting.treatment import Treatment
from heft.reporting.wording import is_empty

WORDS = ("experiment", "variant", "method", "ensemble", "options", "action", "chosen", "members")
# Columns that the report adds: the measure, and what validation chooses by, wherever the two are written.
MEASURED, VALIDATED = "measured", "validated"
VALIDATION_LOSS = "val_loss"
ROW = ["seed", "variant", "action", "fraction"]


def normalised(comparison: pd.DataFrame) -> pd.DataFrame:
    """The comparison table with "" for empty words, booleans in `chosen`, and numbers elsewhere."""
    rows = comparison.copy()
    for column in ("variant", "method", "ensemble", "action"):
        rows[column] = [("" if is_empty(value) else str(value)) for value in rows[column]]
    rows["chosen"] = [str(value).lower() == "true" for value in rows["chosen"]]
    rows["members"] = pd.to_numeric(rows["members"]).fillna(1).astype(int)
    for column in rows.columns.difference(list(WORDS)):
        rows[column] = pd.to_numeric(rows[column])
    return rows


def measured(rows: pd.DataFrame, long: "LongMetrics", measure: Measure) -> pd.DataFrame:
    """The rows with the columns `MEASURED` and `VALIDATED`; empty where a model has no such number."""
    chosen_by = VALIDATION_LOSS if measure.chosen_by == LOSS else validation_metric(measure.chosen_by)
    columns = {
        name: rows[metric].astype(float) if metric in rows else long.of_rows(metric, rows)
        for name, metric in ((MEASURED, measure.name), (VALIDATED, chosen_by))
    }
    return rows.assign(**columns)


class LongMetrics:
    """Reads metrics in long form: the key's columns, metric, value."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.assign(action=["" if is_empty(value) else str(value) for value in table["action"]])

    @cached_property
    def names(self) -> list[str]:
        """Names of all metrics."""
        return sorted(str(name) for name in self._table["metric"].unique())

    def variants_where(self, metric: str, value: float) -> set[str]:
        """Slugs of the variants that have this value of a metric anywhere."""
        table = self._table
        return set(table.loc[(table["metric"] == metric) & (table["value"] == value), "variant"])

    def values(self, metric: str, variant: str, treatment: Treatment | None = None) -> pd.Series:
        """A metric of a variant by seed, under a treatment; without one, the first that there is."""
        rows = self._by_name.get((metric, variant))
        if rows is None:
            return pd.Series(dtype=float)
        if treatment is not None:
            rows = rows[(rows["action"] == treatment.action) & (rows["fraction"] == treatment.fraction)]
        return rows.groupby("seed")["value"].first().astype(float)

    def of_rows(self, metric: str, rows: pd.DataFrame) -> pd.Series:
        """A metric of each row of the comparison table; NaN where there is none."""
        by_key = self._table[self._table["metric"] == metric].groupby(ROW)["value"].first().astype(float)
        return pd.Series(by_key.reindex(pd.MultiIndex.from_frame(rows[ROW])).to_numpy(float), index=rows.index)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], pd.DataFrame]:
        groups = self._table.groupby(["metric", "variant"])
        return {(str(metric), str(variant)): rows for (metric, variant), rows in groups}


def trained_on_validation(rows: pd.DataFrame, long: LongMetrics) -> set[str]:
    """Slugs of variants that say so, or that lack a chosen row where others have one, though no model diverged."""
    diverged = long.variants_where(DIVERGED, 1)
    rows = rows[(rows["method"] != "none") & ~rows["variant"].isin(diverged)]
    said = long.variants_where("trains_on_validation", 1)
    return said | (set(rows["variant"]) - set(rows.loc[rows["chosen"], "variant"]) if rows["chosen"].any() else set())
