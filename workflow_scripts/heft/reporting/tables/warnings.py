"""The table of what speaks against single variants: their own checks, and classes that their removals empty."""

import re
from collections.abc import Sequence

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import Warned
from heft.reporting.tables.table import Cell, Column, Line, Table
from heft.reporting.wording import seed_numbers


def warnings_table(warnings: Sequence[Warned], comparison: Comparison) -> Table | None:
    """One line for each variant and sentence; sentences that differ in numbers alone are the same, the first stands."""
    variants = {variant.slug: variant for variant in comparison.variants}
    said: dict[tuple[str, str], list[Warned]] = {}
    for warning in warnings:
        if warning.variant in variants:
            said.setdefault((warning.variant, re.sub(r"\d[\d.,e-]*", "#", warning.sentence)), []).append(warning)
    if not said:
        return None
    columns = [
        Column("Variant", "the method, with options that are not the default", words=True),
        Column("Warning", "of the first of these seeds", words=True),
        Column("Seeds", "for which it was said", words=True),
    ]
    lines = []
    for (slug, _), alike in sorted(said.items()):
        label, seeds = variants[slug].label, {warning.seed for warning in alike}
        first = min(alike, key=lambda warning: warning.seed).sentence
        cells = [
            Cell(label, label.lower()),
            Cell(first, first),
            Cell(seed_numbers(seeds), len(seeds)),
        ]
        lines.append(Line(cells, variants[slug].method))
    return Table("warnings-table", "What speaks against single variants", columns, lines)
