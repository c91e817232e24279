"""The answer in words, made from the numbers alone; what is not significant is never said as if it were.

Which variant and fraction it names is chosen by validation loss: test results have no say in the choice.
"""

from dataclasses import dataclass
from enum import Enum

from heft.reporting.comparison import ACCURACY, Comparison, Variant
from heft.reporting.wording import (
    decimal,
    decimal_interval,
    listed,
    p_text,
    percent,
    points,
    points_interval,
    seeds,
    share,
)
from heft.statistics import Estimate, holm

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


@dataclass(frozen=True)
class Verdict:
    """Sentences for the first screen; None where there is nothing to say.

    gain, over_random: the paired differences behind them.
    """

    outcome: Outcome
    headline: str
    evidence: str
    choice: Choice | None = None
    chosen_how: str | None = None
    caution: str | None = None
    detection: str | None = None
    ceiling: str | None = None
    gain: Estimate | None = None
    over_random: Estimate | None = None


def choose(comparison: Comparison) -> Choice | None:
    """Lowest mean validation loss over the `chosen` rows names the variant; over all its rows, the fraction."""
    rows = comparison.rows
    compared = rows[rows["variant"].isin([variant.slug for variant in comparison.compared]) & rows["val_loss"].notna()]
    if compared.empty:
        return None
    chosen = compared[compared["chosen"]] if compared["chosen"].any() else compared
    slug = chosen.groupby("variant")["val_loss"].mean().idxmin()
    fraction = compared[compared["variant"] == slug].groupby("fraction")["val_loss"].mean().idxmin()
    variant = comparison.find(str(slug))
    return None if variant is None else Choice(variant, float(fraction))


def judge(comparison: Comparison) -> Verdict:
    """The verdict of a comparison."""
    choice = choose(comparison)
    if choice is None or comparison.unpruned[ACCURACY].isna().all():
        reason = "no method other than none, random and oracle" if choice is None else "no accuracy of the unpruned model"
        return Verdict(Outcome.NOTHING, f"There is nothing to compare: the table holds {reason}.", "")
    slug, fraction = choice.variant.slug, choice.fraction
    gain, over_random = comparison.gain(slug, fraction), comparison.over_random(slug, fraction)
    p_none = comparison.corrected(fraction, "none")[slug]
    p_random = comparison.corrected(fraction, "random")[slug]
    outcome = _outcome(gain, over_random, p_none, p_random)
    return Verdict(
        outcome=outcome,
        headline=_headline(outcome, comparison, choice),
        evidence=_evidence(comparison, choice, (gain, p_none), (over_random, p_random)),
        choice=choice,
        chosen_how=(
            f"Chosen by validation, not by test: of the {len(comparison.compared)} variants compared, "
            f"{choice.variant.label} reached the lowest validation loss, and did so at {share(fraction)}."
            f"{_rivals(comparison, choice)}"
        ),
        caution=_caution(gain),
        detection=_detection(comparison, choice.variant),
        ceiling=_ceiling(comparison, choice),
        gain=gain,
        over_random=over_random,
    )


def _outcome(gain: Estimate, over_random: Estimate, p_none: float, p_random: float) -> Outcome:
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


def _headline(outcome: Outcome, comparison: Comparison, choice: Choice) -> str:
    part, fraction = share(choice.fraction), choice.fraction
    accuracy = comparison.values(choice.variant.slug, fraction)
    before = percent(comparison.unpruned[ACCURACY].loc[accuracy.index.intersection(comparison.unpruned.index)].mean())
    after, random = percent(accuracy.mean()), comparison.values("random", fraction).mean()
    what = f"Removing the {part} of training examples that {choice.variant.label} ranks lowest"
    change = f"from {before} to {after}\u00a0%"
    return {
        Outcome.GAIN: f"{what} raised test accuracy {change}.",
        Outcome.NO_DIFFERENCE: f"{what} made no detectable difference to test accuracy: it went {change}.",
        Outcome.WORSE_THAN_RANDOM: f"{what} was worse than removing a random {part}: test accuracy went {change}, "
        f"and to {percent(random)}\u00a0% with the random {part} removed.",
        Outcome.LOSS: f"{what} lowered test accuracy {change}.",
        Outcome.ONLY_OVER_NONE: f"{what} went with a rise of test accuracy {change}, but not detectably more than "
        f"removing a random {part}.",
        Outcome.ONLY_OVER_RANDOM: f"{what} was better than removing a random {part}, but no detectable gain over "
        f"removing nothing: test accuracy went {change}.",
        Outcome.NO_RANDOM: f"{what} moved test accuracy {change}; without a random row it cannot be said whether the "
        "choice of examples mattered.",
        Outcome.NO_INTERVAL: f"{what} moved test accuracy {change}; {_no_interval(comparison)}",
    }[outcome]


def _no_interval(comparison: Comparison) -> str:
    if len(comparison.seeds) < 2:
        return "with one seed, chance cannot be told from effect."
    return "no interval can be given (too few seeds hold both numbers, or the seeds do not differ)."


def _evidence(
    comparison: Comparison, choice: Choice, to_none: tuple[Estimate, float], to_random: tuple[Estimate, float]
) -> str:
    (gain, p_none), (over_random, p_random) = to_none, to_random
    part = share(choice.fraction)
    sentences = [f"Difference to removing nothing: {_difference(gain, p_none)}, {seeds(gain.n)}."]
    if over_random.n:
        random = comparison.gain("random", choice.fraction)
        sentences.append(f"Removing a random {part}: {points(random.mean)} points.")
        sentences.append(f"Difference to random: {_difference(over_random, p_random)}.")
    else:
        sentences.append("No random removal was run beside it.")
    return " ".join(sentences)


def _difference(difference: Estimate, p_value: float) -> str:
    if not difference.has_interval:
        return f"{points(difference.mean)} points (no interval)"
    corrected = f", Holm-corrected {p_text(p_value)}"
    return f"{points(difference.mean)} points (95\u00a0% interval {points_interval(difference)}{corrected})"


def _caution(gain: Estimate) -> str | None:
    if not gain.wide:
        return None
    each = ", ".join(points(value) for value in gain.values.values())
    if gain.n < 2:
        return f"Only {seeds(gain.n)}: no interval can be given. The difference seen: {each} points."
    return f"Only {seeds(gain.n)}: the interval is wide. Differences seed by seed: {each} points."


def _detection(comparison: Comparison, variant: Variant) -> str | None:
    auroc = comparison.per_variant(variant.slug, "noise_auroc")
    if not auroc.n:
        return None
    interval = f" ({decimal_interval(auroc)})" if auroc.has_interval else ""
    said = f"{variant.label} finds the wrong labels with AUROC {decimal(auroc.mean)}{interval}"
    rate = comparison.noise_fraction
    if rate is None:
        return said + "."
    recall = comparison.values(variant.slug, rate, "noise_recall").mean()
    return f"{said}; its lowest {share(rate)} hold {share(round(recall, 3))} of them."


def _ceiling(comparison: Comparison, choice: Choice) -> str | None:
    rate = comparison.noise_fraction
    oracle = comparison.gain("oracle", rate) if rate is not None else None
    if rate is None or oracle is None or not oracle.n:
        return None
    brought = f"Removing exactly the wrong labels ({share(rate)}) brought {points(oracle.mean)} points"
    if not oracle.has_interval:
        return f"{brought} ({seeds(oracle.n)}, no interval)."
    if not oracle.above_zero:
        return f"{brought}, itself not clear of zero: there is no ceiling to measure against."
    gain = comparison.gain(choice.variant.slug, choice.fraction)
    if not gain.above_zero:
        return f"{brought}; nothing detectable of it was recovered."
    recovered = f"{100 * gain.mean / oracle.mean:.0f}\u00a0%"
    return f"{brought}; {choice.variant.label} recovers {recovered} of that."


def _rivals(comparison: Comparison, choice: Choice) -> str:
    """How many of the other variants test cannot tell from the one named, Holm-corrected over them."""
    others = [variant.slug for variant in comparison.compared if variant.slug != choice.variant.slug]
    differences = [comparison.difference(choice.variant.slug, slug, choice.fraction) for slug in others]
    corrected = holm(difference.p_value for difference in differences)
    alike = sum(p_value >= SIGNIFICANT for p_value in corrected)
    return f" On test, {alike} of the other {len(others)} are not detectably different there." if alike else ""


def seeds_sentence(comparison: Comparison, resample: list[str]) -> str:
    """What a seed draws anew, and what it leaves."""
    drawn = [name for name in ("split", "noise", "init") if name in resample]
    words = {"split": "the split", "noise": "the planted noise", "init": "initialisation and batch order"}
    frozen = [words[name] for name in words if name not in drawn]
    said = f"Each of the {seeds(len(comparison.seeds))} draws anew: {listed([words[name] for name in drawn])}."
    return f"{said} Frozen at the first: {listed(frozen)}." if frozen else said
