"""The comparison table: one line a variant, and one an action where there are several."""

from math import isnan, nan

from heft.evaluation.columns import DIVERGED
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT
from heft.reporting.analysis.variant import MARK, ReportedVariant
from heft.reporting.tables.comparison_columns import comparison_columns
from heft.reporting.tables.table import NOTHING, Cell, Line, Table, known, tone_of
from heft.reporting.text.actions import third_person
from heft.reporting.text.verdict import Verdict
from heft.reporting.treatment import UNTREATED, Treatment
from heft.reporting.wording import amount, decimal, decimal_interval, named_seeds, p_text, percent
from heft.variants import NONE

BASELINE_MARK = "‡"
EXTRA_COLUMNS = {  # shown where any row has them
    "lds": "LDS",
    "demographic_parity_gap": "DP gap",
    "equal_opportunity_gap": "EO gap",
    "robust_accuracy": "robust accuracy",
}


def comparison_table(comparison: Comparison, verdict: Verdict) -> Table:
    """Every variant, with a line for each action, then the baselines, then what is not evaluated.

    Columns that no line fills are left out.
    """
    fraction = verdict.choice.treatment.fraction if verdict.choice else (comparison.fractions or [0.0])[-1]
    entries = [(variant, action) for variant in comparison.variants for action in comparison.actions]
    entries += [(variant, "") for variant in comparison.baselines]
    gains = [
        comparison.gain(variant.slug, Treatment(action, part)) for variant, action in entries
        for part in comparison.fractions
    ]  # fmt: skip
    largest = max((abs(gain.mean) for gain in gains if gain.n), default=0.0)
    corrected = {action: comparison.corrected(Treatment(action, fraction), "random") for action in comparison.actions}
    chosen = (verdict.choice.variant.slug, verdict.choice.treatment.action) if verdict.choice else None
    columns = comparison_columns(comparison, fraction, list(EXTRA_COLUMNS.values()))
    lines = [
        Line(
            _identity(comparison, variant, action)
            + _detection(comparison, variant)
            + [_gain_cell(comparison, variant, Treatment(action, part), largest) for part in comparison.fractions]
            + _against_random(comparison, variant, Treatment(action, fraction), corrected.get(action, {}))
            + _cost(comparison, variant)
            + [_extra(comparison, variant, Treatment(action, fraction), name) for name in EXTRA_COLUMNS],
            variant.method,
            f"{variant.slug} {variant.label} {action if comparison.several else ''}".strip().lower(),
            (variant.slug, action) == chosen,
        )
        for variant, action in entries
    ]
    lines += [_absent(variant, len(columns)) for variant, _ in comparison.absent]
    caption = f"All variants with detection, gain in {comparison.measure.title}, difference to random "
    caption += f"{comparison.any_action.noun}, and cost"
    notes = _footnotes(comparison)
    return Table("comparison-table", caption, columns, lines, notes).without_empty_columns()


def _footnotes(comparison: Comparison) -> tuple[str, ...]:
    notes = []
    if any(variant.trains_on_validation for variant in [*comparison.variants, *comparison.baselines]):
        notes.append(f"{MARK} trained on validation labels: validation cannot judge it; not chosen.")
    if comparison.baselines:
        acts = third_person(comparison.any_action.verb)
        notes.append(f"{BASELINE_MARK} another training that {acts} nothing: the same number stands in each column.")
    return tuple(notes)


def _identity(comparison: Comparison, variant: ReportedVariant, action: str) -> list[Cell]:
    title = variant.title + (MARK if variant.trains_on_validation else "") + (BASELINE_MARK if variant.baseline else "")
    notes = [variant.kind] if variant.kind else []
    if absent := comparison.missing_seeds(variant.slug):
        notes.append(f"without {named_seeds(absent)}")
    cells = [Cell(title, _by_name(variant), ", ".join(notes)), Cell(str(variant.members), variant.members)]
    return [*cells, *([_action(comparison, action)] if comparison.several else [])]


def _action(comparison: Comparison, action: str) -> Cell:
    return Cell(comparison.actions[action].title, comparison.actions[action].title) if action else NOTHING


def _by_name(variant: ReportedVariant) -> str:
    """What sorts by method, then ensemble and size."""
    return f"{variant.title} {variant.kind} {variant.members:04}".lower()


def _absent(variant: ReportedVariant, n_columns: int) -> Line:
    head = Cell(
        variant.title,
        _by_name(variant),
        f"{variant.kind} ×{variant.members}: missing" if variant.kind else "missing",
    )
    return Line([head] + [NOTHING] * (n_columns - 1), variant.method, f"{variant.slug} {variant.label} missing".lower())


def _detection(comparison: Comparison, variant: ReportedVariant) -> list[Cell]:
    auroc, precision = (comparison.per_variant(variant.slug, column) for column in ("noise_auroc", "noise_ap"))
    recall = float(comparison.long.values("noise_recall_inspected", variant.slug).mean())
    return [
        Cell(decimal(auroc.mean), known(auroc.mean), decimal_interval(auroc)),
        Cell(decimal(precision.mean), known(precision.mean)),
        Cell(percent(recall), known(recall)),
    ]


def _diverged(comparison: Comparison, variant: ReportedVariant, treatment: Treatment) -> list[int]:
    """Seeds that a gain leaves out since the variant's model or the untreated one diverged."""
    own = comparison.diverged(variant.slug, UNTREATED if variant.baseline else treatment)
    return sorted({*own, *comparison.diverged(NONE, UNTREATED)})


def _gain_cell(comparison: Comparison, variant: ReportedVariant, treatment: Treatment, largest: float) -> Cell:
    gain, diverged = comparison.gain(variant.slug, treatment), _diverged(comparison, variant, treatment)
    if diverged and not gain.n:
        return Cell(DIVERGED, None)
    tone = tone_of(gain)
    shade = 0.0 if tone == "unclear" or not largest else min(1.0, abs(gain.mean) / largest)
    note = comparison.measure.gain_interval(gain)
    if diverged:
        which = f"{named_seeds(diverged)} {DIVERGED}"
        note = f"{note}; {which}" if note else which
    return Cell(comparison.measure.gain(gain.mean), known(gain.mean), note, tone, round(shade, 2))


def _against_random(
    comparison: Comparison, variant: ReportedVariant, treatment: Treatment, p_values: dict[str, float]
) -> list[Cell]:
    if variant.slug == "random" or (variant.baseline and comparison.several):
        return [NOTHING, NOTHING]
    if variant.baseline:
        treatment = Treatment(next(iter(comparison.actions)), treatment.fraction)
    difference, p_value = comparison.over_random(variant.slug, treatment), p_values.get(variant.slug, nan)
    clear = p_value < SIGNIFICANT or (not variant.compared and (difference.above_zero or difference.below_zero))
    tone = ("good" if difference.mean > 0 else "bad") if clear else "unclear"
    measure = comparison.measure
    return [
        Cell(measure.gain(difference.mean), known(difference.mean), measure.gain_interval(difference), tone),
        Cell(
            p_text(p_value).removeprefix("p = ").removeprefix("p "),
            known(p_value),
            tone="" if isnan(p_value) else tone,
        ),
    ]


def _cost(comparison: Comparison, variant: ReportedVariant) -> list[Cell]:
    values = [
        comparison.per_variant(variant.slug, column).mean
        for column in ("forward_passes", "score_cpu_seconds", "score_peak_mb")
    ]
    return [Cell(amount(value), known(value)) for value in values]


def _extra(comparison: Comparison, variant: ReportedVariant, treatment: Treatment, column: str) -> Cell:
    value = float(comparison.values(variant.slug, treatment, column).mean())
    return Cell(decimal(value), known(value))
