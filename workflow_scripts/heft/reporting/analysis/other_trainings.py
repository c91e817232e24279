"""Where another training, which leaves all examples as they are, beats the curated models."""

from dataclasses import dataclass

from heft.evaluation.statistics import Estimate, holm
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT, Choice
from heft.reporting.analysis.rows import MEASURED
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.treatment import UNTREATED
from heft.reporting.wording import p_text, seeds, share


@dataclass(frozen=True)
class Rival:
    """A baseline against the curated models. difference: by how much it is better than the headline's choice."""

    variant: ReportedVariant
    difference: Estimate
    wins: bool
    sentence: str


def rivals_untreated(comparison: Comparison, choice: Choice) -> tuple[Rival, ...]:
    """Each baseline against the variant and treatment that validation chose, paired by seed; Holm over baselines."""
    differences = [
        comparison.difference(baseline.slug, choice.variant.slug, choice.treatment) for baseline in comparison.baselines
    ]
    corrected = holm(difference.p_value for difference in differences)
    return tuple(
        _rival(comparison, choice, baseline, difference, p_value)
        for baseline, difference, p_value in zip(comparison.baselines, differences, corrected, strict=True)
        if difference.n
    )


def _rival(
    comparison: Comparison, choice: Choice, variant: ReportedVariant, difference: Estimate, p_value: float
) -> Rival:
    measure, treatment = comparison.measure, choice.treatment
    level = measure.level(comparison.values(variant.slug, treatment).mean())
    clear = difference.has_interval and p_value < SIGNIFICANT
    verb = "no detectable difference to" if not clear else "better than" if difference.mean > 0 else "worse than"
    trusted = ", trained on validation labels" if variant.trains_on_validation else ""
    interval = f"{measure.gain_interval(difference)}, Holm-corrected {p_text(p_value)}"
    how = f" {comparison.actions[treatment.action].participle}" if comparison.several else ""
    said = (
        f"{variant.label} (nothing {comparison.any_action.participle}{trusted}) reaches {level}, {verb} "
        f"{choice.variant.label} at {share(treatment.fraction)}{how}: {measure.gain_with_unit(difference.mean)} "
        f"({interval if difference.has_interval else 'no interval'})."
    )
    return Rival(variant, difference, clear and difference.mean > 0, f"{said} {_against_all(comparison, variant)}")


def _against_all(comparison: Comparison, baseline: ReportedVariant) -> str:
    """How many curated variants it beats, each under the treatment that validation chose for it in each seed."""
    rows = comparison.rows[comparison.rows["chosen"]]
    reached = comparison.values(baseline.slug, UNTREATED)
    slugs = [variant.slug for variant in comparison.eligible]
    differences = [
        comparison.better(reached, rows[rows["variant"] == slug].set_index("seed")[MEASURED]) for slug in slugs
    ]
    if not any(difference.has_interval for difference in differences):
        return f"With {seeds(len(reached))} it cannot be ranked among the curated variants."
    corrected = holm(difference.p_value for difference in differences)
    clear = [
        difference.mean for difference, p_value in zip(differences, corrected, strict=True) if p_value < SIGNIFICANT
    ]
    above, below = sum(mean > 0 for mean in clear), sum(mean < 0 for mean in clear)
    chosen = "action and fraction" if comparison.several else "fraction"
    return (
        f"It beats {above} of the {len(slugs)} curated variants, each at the {chosen} that validation chose, and is "
        f"beaten by {below}."
    )
