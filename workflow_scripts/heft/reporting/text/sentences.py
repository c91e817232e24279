"""The sentences of the first screen, made from the numbers; what is not significant is never said as if it were."""

from collections.abc import Sequence
from math import isfinite

from heft.evaluation.statistics import Estimate, holm
from heft.reporting.analysis.comparison import ACCURACY, Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT, Choice, Outcome
from heft.reporting.analysis.variant import Variant
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


def headline(outcome: Outcome, comparison: Comparison, choice: Choice) -> str:
    """The first sentence."""
    part, fraction = share(choice.fraction), choice.fraction
    # Of the seeds that have both numbers.
    both = comparison.gain(choice.variant.slug, fraction).values
    accuracy = comparison.values(choice.variant.slug, fraction).loc[list(both)]
    before = percent(comparison.unpruned[ACCURACY].astype(float).loc[list(both)].mean())
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
        Outcome.NO_INTERVAL: f"{what} moved test accuracy {change}; {_no_interval(comparison, choice)}",
    }[outcome]


def _no_interval(comparison: Comparison, choice: Choice) -> str:
    """Names the difference that has none where the other, which stands beside it, has one."""
    if len(comparison.seeds) < 2:
        return "with one seed, chance cannot be told from effect."
    of = ""
    if comparison.gain(choice.variant.slug, choice.fraction).has_interval:
        of = " for the difference to random"
    elif comparison.over_random(choice.variant.slug, choice.fraction).has_interval:
        of = " for the difference to removing nothing"
    return f"no interval can be given{of} (too few seeds hold both numbers, or the seeds do not differ)."


def evidence(
    comparison: Comparison, choice: Choice, to_none: tuple[Estimate, float], to_random: tuple[Estimate, float]
) -> str:
    """The differences behind it, with intervals and corrected p-values."""
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


def chosen_how(comparison: Comparison, choice: Choice) -> str:
    """Who chose, among how many, and what could not be chosen."""
    said = (
        f"Chosen by validation, not by test: of the {len(comparison.eligible)} variants compared, "
        f"{choice.variant.label} reached the lowest validation loss, and did so at {share(choice.fraction)}."
    )
    barred = [variant.label for variant in comparison.compared if variant.trains_on_validation]
    if barred:
        were = "was" if len(barred) == 1 else "were"
        said += f" {listed(barred)}, whose scores come from validation labels, {were} not eligible."
    return said + rivals(comparison, choice)


def caution(gain: Estimate) -> str | None:
    """A warning where fewer than 5 seeds stand behind it."""
    if not gain.wide:
        return None
    each = ", ".join(points(value) for value in gain.values.values())
    if gain.n < 2:
        return f"Only {seeds(gain.n)}: no interval of the gain. The difference seen: {each} points."
    if not gain.has_interval:
        return f"Only {seeds(gain.n)}, and no interval of the gain. Differences seed by seed: {each} points."
    return f"Only {seeds(gain.n)}: the interval is wide. Differences seed by seed: {each} points."


def detection(comparison: Comparison, variant: Variant) -> str | None:
    """How well the variant finds wrong labels, where they are known."""
    auroc = comparison.per_variant(variant.slug, "noise_auroc")
    if not auroc.n:
        return None
    interval = f" ({decimal_interval(auroc)})" if auroc.has_interval else ""
    said = f"{variant.label} finds the wrong labels with AUROC {decimal(auroc.mean)}{interval}"
    recall = comparison.long.values("noise_recall_inspected", variant.slug).mean()
    missed = comparison.long.values("noise_missed_inspected", variant.slug).mean()
    if not isfinite(recall):
        return said + "."
    found = f"{share(round(recall, 3))} of them"
    return f"{said}; among as many of its lowest as are wrong stand {found}, and {missed:,.0f} are missed."


def ceiling(comparison: Comparison, choice: Choice) -> str | None:
    """What the oracle gained at the noise rate, and which part of it was recovered."""
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


def rivals(comparison: Comparison, choice: Choice) -> str:
    """How many of the other variants test cannot tell from the one named, Holm-corrected over them."""
    others = [variant.slug for variant in comparison.eligible if variant.slug != choice.variant.slug]
    differences = [comparison.difference(choice.variant.slug, slug, choice.fraction) for slug in others]
    corrected = holm(difference.p_value for difference in differences)
    alike = sum(p_value >= SIGNIFICANT for p_value in corrected)
    return f" On test, {alike} of the other {len(others)} are not detectably different there." if alike else ""


def what_seeds_vary(comparison: Comparison, resample: Sequence[str]) -> str:
    """What a seed draws anew, and what it leaves."""
    words = {"split": "the split", "noise": "the planted noise", "init": "the initialisation with the batch order"}
    drawn = [words[name] for name in words if name in resample]
    frozen = [words[name] for name in words if name not in resample]
    said = f"{seeds(len(comparison.seeds))}; each draws anew {listed(drawn)}."
    return f"{said} The same for all: {listed(frozen)}." if frozen else said
