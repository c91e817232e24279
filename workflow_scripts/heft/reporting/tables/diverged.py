"""The table of models whose training diverged."""

from heft.evaluation.columns import DIVERGED
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.tables.table import Cell, Column, Line, Table
from heft.reporting.text.actions import opening
from heft.reporting.treatment import Treatment
from heft.reporting.wording import EMPTY, seed_numbers, share


def diverged_table(comparison: Comparison) -> Table | None:
    """One line for each variant and treatment of which a seed's model diverged; None where no model did."""
    rows = comparison.rows.drop_duplicates(["variant", "action", "fraction"])
    participle = comparison.any_action.participle
    labels = {variant.slug: variant.label for variant in (*comparison.variants, *comparison.baselines)}
    lines = []
    for slug, method, action, part in rows[["variant", "method", "action", "fraction"]].itertuples(index=False):
        if seeds := comparison.diverged(slug, Treatment(action, part)):
            label = labels.get(slug, f"nothing {participle}")
            title = comparison.actions[action].title if action else EMPTY
            cells = [
                Cell(label, label.lower()),
                *([Cell(title, title)] if comparison.several else []),
                Cell(share(part), part),
                Cell(seed_numbers(seeds), len(seeds)),
            ]
            lines.append(Line(cells, method))
    if not lines:
        return None
    columns = [
        Column("Variant", "what was trained", words=True),
        *([Column("Action", "what was done", words=True)] if comparison.several else []),
        Column(opening(participle), "share of the training examples"),
        Column("Seeds", f"where the model {DIVERGED}", words=True),
    ]
    return Table("diverged-table", "Models whose loss was not finite after training", columns, lines)
