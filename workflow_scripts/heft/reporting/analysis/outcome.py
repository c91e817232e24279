"""Which variant and fraction the report names, and what its paired differences allow to say.

The choice is made by the validation split: test results have no say in it.
"""

from dataclasses import dataclass
from enum import Enum

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.rows import VALIDATED
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.treatment import Treatment

SIGNIFICANT = 0.05


class Outcome(Enum):
    """What the paired differences to `none` and to `random` say together; the value is the badge on the page."""

    GAIN = "Clear gain"
    NO_DIFFERENCE = "No detectable difference"
    WORSE_THAN_RANDOM = "Worse than random"
    LOSS = "Clear loss"
    ONLY_OVER_NONE = "No better than random"
    ONLY_OVER_RANDOM = "Better than random only"
    NO_RANDOM = "No random baseline"
    NO_INTERVAL = "No interval"
    NOTHING = "Nothing to compare"


@dataclass(frozen=True)
class Choice:
    """The variant and the treatment that validation picks."""

    variant: ReportedVariant
    treatment: Treatment


def choose(comparison: Comparison) -> Choice | None:
    """Lowest mean on validation over the `chosen` rows names the variant; over all its rows, action and fraction.

    Only variants that validation can judge, and of an unfinished run only those with as many seeds as any has. A
    treatment under which a model diverged has fewer seeds than the others, and is not chosen either.
    """
    rows = comparison.rows
    compared = rows[rows["variant"].isin([variant.slug for variant in comparison.eligible]) & rows[VALIDATED].notna()]
    if compared.empty:
        return None
    n_seeds = compared.groupby("variant")["seed"].transform("nunique")
    compared = compared[n_seeds == n_seeds.max()]
    chosen = compared[compared["chosen"]] if compared["chosen"].any() else compared
    slug = chosen.groupby("variant")[VALIDATED].mean().idxmin()
    of_variant = compared[compared["variant"] == slug].groupby(["action", "fraction"])[VALIDATED].agg(["mean", "count"])
    action, fraction = of_variant.loc[of_variant["count"] == of_variant["count"].max(), "mean"].idxmin()
    variant = comparison.find(str(slug))
    return None if variant is None else Choice(variant, Treatment(str(action), float(fraction)))


def classify(gain: Estimate, over_random: Estimate, p_none: float, p_random: float) -> Outcome:
    """Clear means: the interval clear of zero and the Holm-corrected p-value below SIGNIFICANT."""
    if not gain.has_interval:
        return Outcome.NO_INTERVAL
    above_none = gain.above_zero and p_none < SIGNIFICANT
    below_none = gain.below_zero and p_none < SIGNIFICANT
    if not over_random.has_interval:
        return Outcome.NO_RANDOM if over_random.n == 0 else Outcome.NO_INTERVAL
    above_random = over_random.above_zero and p_random < SIGNIFICANT
    if over_random.below_zero and p_random < SIGNIFICANT:
        return Outcome.WORSE_THAN_RANDOM
    if below_none:
        return Outcome.LOSS
    if above_none:
        return Outcome.GAIN if above_random else Outcome.ONLY_OVER_NONE
    return Outcome.ONLY_OVER_RANDOM if above_random else Outcome.NO_DIFFERENCE
