"""The comparison table: one line a variant, each cell with its text, its interval and the value that sorts it."""

from dataclasses import dataclass
from math import isfinite

from heft.reporting.comparison import Comparison, Variant
from heft.reporting.outcome import SIGNIFICANT
from heft.reporting.verdict import Verdict
from heft.reporting.wording import (
    EMPTY,
    amount,
    decimal,
    decimal_interval,
    p_text,
    percent,
    points,
    points_interval,
    share,
)
from heft.statistics import Estimate

EXTRA_COLUMNS = {  # shown where any row has them
    "lds": "LDS",
    "demographic_parity_gap": "DP gap",
    "equal_opportunity_gap": "EO gap",
    "robust_accuracy": "robust accuracy",
}


@dataclass(frozen=True)
class Column:
    """A column's head; `hint` explains it, `group` is the head above neighbours that belong together."""

    label: str
    hint: str
    group: str = ""


@dataclass(frozen=True)
class Cell:
    """text over a smaller `note`; `sort` orders (None: last). tone: "good", "bad", "unclear" or ""; shade: 0 to 1."""

    text: str
    sort: float | str | None
    note: str = ""
    tone: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class Line:
    """One variant."""

    variant: Variant
    cells: list[Cell]
    highlighted: bool


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    lines: list[Line]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Heads above the columns with the number of columns each spans."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans


def comparison_table(comparison: Comparison, verdict: Verdict) -> Table:
    """Every variant; columns that no variant fills are left out."""
    fraction = verdict.choice.fraction if verdict.choice else (comparison.fractions or [0.0])[-1]
    largest = max((abs(_mean(comparison, v, f)) for v in comparison.variants for f in comparison.fractions), default=0)
    corrected = comparison.corrected(fraction, "random")
    columns = _columns(comparison, fraction)
    rows = [
        _identity(variant)
        + _detection(comparison, variant)
        + [_gain_cell(comparison.gain(variant.slug, one), largest) for one in comparison.fractions]
        + _against_random(comparison, variant, fraction, corrected)
        + _cost(comparison, variant)
        + [_extra(comparison, variant, fraction, name) for name in EXTRA_COLUMNS]
        for variant in comparison.variants
    ]
    kept = [k for k in range(len(columns)) if k < 3 or any(row[k].sort is not None for row in rows)]
    chosen = verdict.choice.variant.slug if verdict.choice else ""
    lines = [
        Line(variant, [row[k] for k in kept], variant.slug == chosen)
        for variant, row in zip(comparison.variants, rows, strict=True)
    ]
    return Table([columns[k] for k in kept], lines)


def _columns(comparison: Comparison, fraction: float) -> list[Column]:
    rate = comparison.noise_fraction
    at = f"among the lowest-scored {share(rate)} (as many as there are wrong labels)" if rate else ""
    found, gain, random, cost, more = "Wrong labels found", "Accuracy gain (points) when removing", "", "Cost", "More"
    random = f"Against random, {share(fraction)}"
    return [
        Column("Method", "the method, with options that are not the default", "Variant"),
        Column("Ensemble", "how further models were made; empty for the plain method", "Variant"),
        Column("K", "number of models whose scores are averaged", "Variant"),
        Column("AUROC", "chance that a wrong label scores lower than a right one; 95 % interval below", found),
        Column("AP", "average precision: area under precision over recall", found),
        Column("Prec.", f"precision in % {at}", found),
        Column("Recall", f"recall in % {at}", found),
        *(
            Column(share(one), f"test accuracy after removing the lowest {share(one)}, less that of no removal", gain)
            for one in comparison.fractions
        ),
        Column("Difference", f"test accuracy less that after removing a random {share(fraction)}, points", random),
        Column("Holm p", "p-value of that difference, Holm-corrected over the variants compared", random),
        Column("× forward", "CPU time of the score over that of one forward pass over the training set", cost),
        Column("CPU s", "CPU seconds of the score, training of further models included", cost),
        Column("Peak MB", "peak memory above what imports and data take", cost),
        *(Column(label, f"mean over seeds at {share(fraction)} removed", more) for label in EXTRA_COLUMNS.values()),
    ]


def _identity(variant: Variant) -> list[Cell]:
    return [
        Cell(variant.title, variant.title.lower()),
        Cell(variant.kind or EMPTY, variant.kind),
        Cell(str(variant.members), variant.members),
    ]


def _detection(comparison: Comparison, variant: Variant) -> list[Cell]:
    cells = []
    for column in ("noise_auroc", "noise_ap"):
        found = comparison.per_variant(variant.slug, column)
        note = decimal_interval(found) if column == "noise_auroc" else ""
        cells.append(Cell(decimal(found.mean), _known(found.mean), note))
    rate = comparison.noise_fraction
    for column in ("noise_precision", "noise_recall"):
        value = comparison.values(variant.slug, rate, column).mean() if rate is not None else float("nan")
        cells.append(Cell(percent(float(value)), _known(float(value))))
    return cells


def _gain_cell(gain: Estimate, largest: float) -> Cell:
    tone = "good" if gain.above_zero else "bad" if gain.below_zero else "unclear"
    shade = 0.0 if tone == "unclear" or not largest else min(1.0, abs(gain.mean) / largest)
    return Cell(points(gain.mean), _known(gain.mean), points_interval(gain), tone, round(shade, 2))


def _against_random(
    comparison: Comparison, variant: Variant, fraction: float, p_values: dict[str, float]
) -> list[Cell]:
    if variant.slug == "random":
        return [Cell(EMPTY, None), Cell(EMPTY, None)]
    difference, p_value = comparison.over_random(variant.slug, fraction), p_values.get(variant.slug, float("nan"))
    clear = p_value < SIGNIFICANT or (not variant.compared and (difference.above_zero or difference.below_zero))
    tone = ("good" if difference.mean > 0 else "bad") if clear else "unclear"
    return [
        Cell(points(difference.mean), _known(difference.mean), points_interval(difference), tone),
        Cell(
            p_text(p_value).removeprefix("p = ").removeprefix("p "),
            _known(p_value),
            tone=tone if p_value == p_value else "",
        ),
    ]


def _cost(comparison: Comparison, variant: Variant) -> list[Cell]:
    values = [
        comparison.per_variant(variant.slug, column).mean
        for column in ("forward_passes", "score_cpu_seconds", "score_peak_mb")
    ]
    return [Cell(amount(value), _known(value)) for value in values]


def _extra(comparison: Comparison, variant: Variant, fraction: float, column: str) -> Cell:
    value = float(comparison.values(variant.slug, fraction, column).mean())
    return Cell(decimal(value), _known(value))


def _mean(comparison: Comparison, variant: Variant, fraction: float) -> float:
    mean = comparison.gain(variant.slug, fraction).mean
    return mean if isfinite(mean) else 0.0


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
