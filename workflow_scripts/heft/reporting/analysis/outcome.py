"""Which variant and fraction the report names, and what its paired differences allow to say.

The choice is made by validation loss: test results have no say in it.
"""

from dataclasses import dataclass
from enum import Enum

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import Variant

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
    """The variant and fraction that validation picks."""

    variant: Variant
    fraction: float


def choose(comparison: Comparison) -> Choice | None:
    """Lowest mean validation loss over the `chosen` rows names the variant; over all its rows, the fraction.

    Only variants that validation can judge, and of an unfinished run only those with as many seeds as any has. A
    fraction at which a model diverged has fewer seeds than the others, and is not chosen either.
    """
    rows = comparison.rows
    compared = rows[rows["variant"].isin([variant.slug for variant in comparison.eligible]) & rows["val_loss"].notna()]
    if compared.empty:
        return None
    n_seeds = compared.groupby("variant")["seed"].transform("nunique")
    compared = compared[n_seeds == n_seeds.max()]
    chosen = compared[compared["chosen"]] if compared["chosen"].any() else compared
    slug = chosen.groupby("variant")["val_loss"].mean().idxmin()
    by_fraction = compared[compared["variant"] == slug].groupby("fraction")["val_loss"].agg(["mean", "count"])
    fraction = by_fraction.loc[by_fraction["count"] == by_fraction["count"].max(), "mean"].idxmin()
    variant = comparison.find(str(slug))
    return None if variant is None else Choice(variant, float(fraction))


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
