"""Where another training, which removes nothing, beats the curated models."""

from dataclasses import dataclass

from heft.evaluation.statistics import Estimate, holm, paired_difference
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT, Choice
from heft.reporting.analysis.variant import Variant
from heft.reporting.wording import p_text, percent, points, points_interval, seeds, share


@dataclass(frozen=True)
class Rival:
    """A baseline against the curated models. difference: its test accuracy less that of the headline's choice."""

    variant: Variant
    difference: Estimate
    wins: bool
    sentence: str


def rivals_without_removal(comparison: Comparison, choice: Choice) -> tuple[Rival, ...]:
    """Each baseline against the variant and fraction that validation chose, paired by seed; Holm over baselines."""
    curated = comparison.values(choice.variant.slug, choice.fraction)
    differences = [
        paired_difference(comparison.values(one.slug, choice.fraction), curated) for one in comparison.baselines
    ]
    corrected = holm(one.p_value for one in differences)
    return tuple(
        _rival(comparison, choice, *found)
        for found in zip(comparison.baselines, differences, corrected, strict=True)
        if found[1].n
    )


def _rival(comparison: Comparison, choice: Choice, variant: Variant, difference: Estimate, p_value: float) -> Rival:
    accuracy = comparison.values(variant.slug, choice.fraction).mean()
    clear = difference.has_interval and p_value < SIGNIFICANT
    verb = "no detectable difference to" if not clear else "better than" if difference.mean > 0 else "worse than"
    trusted = ", trained on validation labels" if variant.trains_on_validation else ""
    interval = f"{points_interval(difference)}, Holm-corrected {p_text(p_value)}"
    said = (
        f"{variant.label} (nothing removed{trusted}) reaches {percent(accuracy)}\u00a0%, {verb} "
        f"{choice.variant.label} at {share(choice.fraction)}: {points(difference.mean)} points "
        f"({interval if difference.has_interval else 'no interval'})."
    )
    return Rival(variant, difference, clear and difference.mean > 0, f"{said} {_against_all(comparison, variant)}")


def _against_all(comparison: Comparison, baseline: Variant) -> str:
    """How many curated variants it beats, each at the fraction that validation chose for it in each seed."""
    rows = comparison.rows[comparison.rows["chosen"]]
    reached = comparison.values(baseline.slug, 0.0)
    slugs = [variant.slug for variant in comparison.eligible]
    differences = [
        paired_difference(reached, rows[rows["variant"] == slug].set_index("seed")["test_accuracy"]) for slug in slugs
    ]
    corrected = holm(one.p_value for one in differences)
    above, below = (
        sum(sign * one.mean > 0 and p_value < SIGNIFICANT for one, p_value in zip(differences, corrected, strict=True))
        for sign in (1, -1)
    )
    if not any(one.has_interval for one in differences):
        return f"With {seeds(len(reached))} it cannot be ranked among the curated variants."
    return (
        f"It beats {above} of the {len(slugs)} curated variants, each at the fraction that validation chose, and is "
        f"beaten by {below}."
    )
