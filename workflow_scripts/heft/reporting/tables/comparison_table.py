"""The comparison table: one line a variant."""

from heft.evaluation.columns import DIVERGED
from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT
from heft.reporting.analysis.variant import MARK, Variant
from heft.reporting.tables.table import NOTHING, Cell, Column, Line, Table, known
from heft.reporting.text.verdict import Verdict
from heft.reporting.wording import (
    amount,
    decimal,
    decimal_interval,
    listed,
    p_text,
    percent,
    points,
    points_interval,
    share,
)
from heft.variants import NONE

BASELINE_MARK = "‡"
EXTRA_COLUMNS = {  # shown where any row has them
    "lds": "LDS",
    "demographic_parity_gap": "DP gap",
    "equal_opportunity_gap": "EO gap",
    "robust_accuracy": "robust accuracy",
}


def comparison_table(comparison: Comparison, verdict: Verdict) -> Table:
    """Every variant, then the baselines, then what is not evaluated; columns that no line fills are left out."""
    fraction = verdict.choice.fraction if verdict.choice else (comparison.fractions or [0.0])[-1]
    shown = [*comparison.variants, *comparison.baselines]
    gains = {(one.slug, part): comparison.gain(one.slug, part) for one in shown for part in comparison.fractions}
    largest = max((abs(gain.mean) for gain in gains.values() if gain.n), default=0.0)
    corrected = comparison.corrected(fraction, "random")
    columns = _columns(comparison, fraction)
    chosen = verdict.choice.variant.slug if verdict.choice else ""
    lines = [
        Line(
            _identity(comparison, variant)
            + _detection(comparison, variant)
            + [
                _gain_cell(gains[variant.slug, part], largest, _diverged(comparison, variant, part))
                for part in comparison.fractions
            ]
            + _against_random(comparison, variant, fraction, corrected)
            + _cost(comparison, variant)
            + [_extra(comparison, variant, fraction, name) for name in EXTRA_COLUMNS],
            variant.method,
            f"{variant.slug} {variant.label}".lower(),
            variant.slug == chosen,
        )
        for variant in shown
    ]
    lines += [_absent(variant, len(columns)) for variant, _ in comparison.absent]
    caption = "All variants with detection, gain in test accuracy, difference to random removal, and cost"
    return Table("comparison-table", caption, columns, lines, _footnotes(shown)).without_empty_columns()


def _footnotes(shown: list[Variant]) -> tuple[str, ...]:
    notes = []
    if any(one.trains_on_validation for one in shown):
        notes.append(f"{MARK} trained on validation labels: validation cannot judge it; not chosen.")
    if any(one.baseline for one in shown):
        notes.append(f"{BASELINE_MARK} another training that removes nothing: the same number stands in each column.")
    return tuple(notes)


def _columns(comparison: Comparison, fraction: float) -> list[Column]:
    found, gain, cost, more = "Wrong labels found", "Accuracy gain (points) when removing", "Cost", "More"
    part = share(fraction)
    random = f"Against random, {part}"
    return [
        Column("Method", "the method, with options that are not the default; below it, how an ensemble's models were "
               "made", "Variant", words=True),
        Column("K", "number of models whose scores are averaged", "Variant"),
        Column("AUROC", "chance that a wrong label scores lower than a right one; 95 % interval below", found),
        Column("AP", "average precision: area under precision over recall", found),
        Column("Found %", "share of the wrong labels that are found when as many examples are inspected as are wrong, "
               "lowest scores first", found),
        *(
            Column(share(one), f"test accuracy after removing the lowest {share(one)}, less that of no removal", gain)
            for one in comparison.fractions
        ),
        Column("Difference", f"test accuracy less that after removing a random {part}, points", random),
        Column("Holm p", "p-value of that difference, Holm-corrected over the variants compared", random),
        Column("× fwd", "CPU time of the score over that of one forward pass over the training set", cost),
        Column("CPU s", "CPU seconds of the score, training of further models included", cost),
        Column("MB", "peak memory above what imports and data take", cost),
        *(Column(label, f"mean over seeds at {part} removed", more) for label in EXTRA_COLUMNS.values()),
    ]  # fmt: skip


def _identity(comparison: Comparison, variant: Variant) -> list[Cell]:
    title = variant.title + (MARK if variant.trains_on_validation else "") + (BASELINE_MARK if variant.baseline else "")
    notes = [variant.kind] if variant.kind else []
    if absent := comparison.missing_seeds(variant.slug):
        notes.append(f"without seed{'s' if len(absent) > 1 else ''} {listed([str(seed) for seed in absent])}")
    return [Cell(title, _by_name(variant), ", ".join(notes)), Cell(str(variant.members), variant.members)]


def _by_name(variant: Variant) -> str:
    """What sorts by method, then ensemble and size."""
    return f"{variant.title} {variant.kind} {variant.members:04}".lower()


def _absent(variant: Variant, n_columns: int) -> Line:
    head = Cell(
        variant.title,
        _by_name(variant),
        f"{variant.kind} ×{variant.members}: missing" if variant.kind else "missing",
    )
    return Line([head] + [NOTHING] * (n_columns - 1), variant.method, f"{variant.slug} {variant.label} missing".lower())


def _detection(comparison: Comparison, variant: Variant) -> list[Cell]:
    auroc, precision = (comparison.per_variant(variant.slug, column) for column in ("noise_auroc", "noise_ap"))
    found = float(comparison.long.values("noise_recall_inspected", variant.slug).mean())
    return [
        Cell(decimal(auroc.mean), known(auroc.mean), decimal_interval(auroc)),
        Cell(decimal(precision.mean), known(precision.mean)),
        Cell(percent(found), known(found)),
    ]


def _diverged(comparison: Comparison, variant: Variant, fraction: float) -> list[int]:
    """Seeds that a gain leaves out since the variant's model or the unpruned one diverged."""
    own = comparison.diverged(variant.slug, 0.0 if variant.baseline else fraction)
    return sorted({*own, *comparison.diverged(NONE, 0.0)})


def _gain_cell(gain: Estimate, largest: float, diverged: list[int]) -> Cell:
    if diverged and not gain.n:
        return Cell(DIVERGED, None)
    tone = "good" if gain.above_zero else "bad" if gain.below_zero else "unclear"
    shade = 0.0 if tone == "unclear" or not largest else min(1.0, abs(gain.mean) / largest)
    note = points_interval(gain)
    if diverged:
        which = f"seed{'s' if len(diverged) > 1 else ''} {listed([str(seed) for seed in diverged])} {DIVERGED}"
        note = f"{note}; {which}" if note else which
    return Cell(points(gain.mean), known(gain.mean), note, tone, round(shade, 2))


def _against_random(
    comparison: Comparison, variant: Variant, fraction: float, p_values: dict[str, float]
) -> list[Cell]:
    if variant.slug == "random":
        return [NOTHING, NOTHING]
    difference, p_value = comparison.over_random(variant.slug, fraction), p_values.get(variant.slug, float("nan"))
    clear = p_value < SIGNIFICANT or (not variant.compared and (difference.above_zero or difference.below_zero))
    tone = ("good" if difference.mean > 0 else "bad") if clear else "unclear"
    return [
        Cell(points(difference.mean), known(difference.mean), points_interval(difference), tone),
        Cell(
            p_text(p_value).removeprefix("p = ").removeprefix("p "),
            known(p_value),
            tone=tone if p_value == p_value else "",
        ),
    ]


def _cost(comparison: Comparison, variant: Variant) -> list[Cell]:
    values = [
        comparison.per_variant(variant.slug, column).mean
        for column in ("forward_passes", "score_cpu_seconds", "score_peak_mb")
    ]
    return [Cell(amount(value), known(value)) for value in values]


def _extra(comparison: Comparison, variant: Variant, fraction: float, column: str) -> Cell:
    value = float(comparison.values(variant.slug, fraction, column).mean())
    return Cell(decimal(value), known(value))
