"""The table of what speaks against single variants: their own checks, and classes that their removals empty."""

import re
from collections.abc import Sequence

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import Warned
from heft.reporting.tables.table import Cell, Column, Line, Table
from heft.reporting.wording import listed


def warnings_table(warnings: Sequence[Warned], comparison: Comparison) -> Table | None:
    """One line for each variant and sentence; sentences that differ in numbers alone are the same, the first stands."""
    variants = {variant.slug: variant for variant in comparison.variants}
    said: dict[tuple[str, str], list[Warned]] = {}
    for one in (one for one in warnings if one.variant in variants):
        said.setdefault((one.variant, re.sub(r"\d[\d.,e-]*", "#", one.sentence)), []).append(one)
    if not said:
        return None
    columns = [
        Column("Variant", "the method, with options that are not the default", words=True),
        Column("Warning", "of the first of these seeds", words=True),
        Column("Seeds", "for which it was said", words=True),
    ]
    lines = []
    for (slug, _), found in sorted(said.items()):
        label, seeds = variants[slug].label, sorted({one.seed for one in found})
        first = min(found, key=lambda one: one.seed).sentence
        cells = [
            Cell(label, label.lower()),
            Cell(first, first),
            Cell(listed([str(seed) for seed in seeds]), len(seeds)),
        ]
        lines.append(Line(cells, variants[slug].method))
    return Table("warnings-table", "What speaks against single variants", columns, lines)
