"""The table of models whose training diverged."""

from heft.evaluation.columns import DIVERGED
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.tables.table import Cell, Column, Line, Table
from heft.reporting.wording import listed, share


def diverged_table(comparison: Comparison) -> Table | None:
    """One line for each variant and fraction of which a seed's model diverged; None where no model did."""
    rows = comparison.rows.drop_duplicates(["variant", "fraction"])
    labels = {one.slug: one.label for one in (*comparison.variants, *comparison.baselines)}
    lines = []
    for slug, method, fraction in rows[["variant", "method", "fraction"]].itertuples(index=False):
        if seeds := comparison.diverged(slug, fraction):
            label = labels.get(slug, "nothing removed")
            cells = [
                Cell(label, label.lower()),
                Cell(share(fraction), fraction),
                Cell(listed([str(seed) for seed in seeds]), len(seeds)),
            ]
            lines.append(Line(cells, method))
    if not lines:
        return None
    columns = [
        Column("Variant", "what was trained", words=True),
        Column("Removed", "share of the training examples"),
        Column("Seeds", f"where the model {DIVERGED}", words=True),
    ]
    return Table("diverged-table", "Models whose loss was not finite after training", columns, lines)
