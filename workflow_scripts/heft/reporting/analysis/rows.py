"""The tables that a report is made of, with one type a column, and values of the long table by seed."""

from functools import cached_property

import pandas as pd

from heft.reporting.wording import is_empty

WORDS = ("experiment", "variant", "method", "ensemble", "options", "action", "chosen", "members")


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


class LongMetrics:
    """Reads metrics in long form: the key's columns, metric, value."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    @cached_property
    def names(self) -> list[str]:
        """Names of all metrics."""
        return sorted(str(name) for name in self._table["metric"].unique())

    def variants_where(self, metric: str, value: float) -> set[str]:
        """Slugs of the variants that have this value of a metric anywhere."""
        table = self._table
        return set(table.loc[(table["metric"] == metric) & (table["value"] == value), "variant"])

    def values(self, metric: str, variant: str, fraction: float | None = None) -> pd.Series:
        """A metric of a variant by seed, at a fraction; without one, the first that there is."""
        found = self._by_name.get((metric, variant))
        if found is None:
            return pd.Series(dtype=float)
        if fraction is not None:
            found = found[found["fraction"] == fraction]
        return found.groupby("seed")["value"].first().astype(float)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], pd.DataFrame]:
        groups = self._table.groupby(["metric", "variant"])
        return {(str(metric), str(variant)): rows for (metric, variant), rows in groups}
