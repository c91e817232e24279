"""The sentences of the first screen, made from the numbers; what is not significant is never said as if it were."""

from collections.abc import Sequence
from math import isfinite

from heft.evaluation.statistics import Estimate, holm
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT, Choice, Outcome
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.text.actions import at_random, opening, ranked_lowest, share_treated
from heft.reporting.treatment import Treatment
from heft.reporting.wording import decimal, decimal_interval, listed, p_text, seeds, share


def headline(outcome: Outcome, comparison: Comparison, choice: Choice) -> str:
    """The first sentence."""
    measure, action = comparison.measure, comparison.actions[choice.treatment.action]
    fraction, title = choice.treatment.fraction, measure.title
    # Of the seeds that have both numbers.
    both = list(comparison.gain(choice.variant.slug, choice.treatment).values)
    before = comparison.untreated.loc[both].mean()
    after = comparison.values(choice.variant.slug, choice.treatment).loc[both].mean()
    random = comparison.values("random", choice.treatment).mean()
    what = f"{opening(action.gerund)} {ranked_lowest(choice.variant.label, fraction)}"
    change = measure.change_of_level(before, after)
    random_part = at_random(action, fraction)
    with_random = "by random scores" if fraction == 1 else f"with the random {share(fraction)} {action.participle}"
    return {
        Outcome.GAIN: f"{what} {measure.improved} {title} {change}.",
        Outcome.NO_DIFFERENCE: f"{what} made no detectable difference to {title}: it went {change}.",
        Outcome.WORSE_THAN_RANDOM: f"{what} was worse than {random_part}: {title} went {change}, "
        f"and to {measure.level(random)} {with_random}.",
        Outcome.LOSS: f"{what} {measure.worsened} {title} {change}.",
        Outcome.ONLY_OVER_NONE: f"{what} {measure.improved} {title} {change}, but not detectably more than "
        f"{random_part} did.",
        Outcome.ONLY_OVER_RANDOM: f"{what} was better than {random_part}, but no detectable gain over "
        f"{action.gerund} nothing: {title} went {change}.",
        Outcome.NO_RANDOM: f"{what} moved {title} {change}; without a random row it cannot be said whether the "
        "choice of examples mattered.",
        Outcome.NO_INTERVAL: f"{what} moved {title} {change}; {_no_interval(comparison, choice)}",
    }[outcome]


def _no_interval(comparison: Comparison, choice: Choice) -> str:
    """Names the difference that has none where the other, which stands beside it, has one."""
    if len(comparison.seeds) < 2:
        return "with one seed, chance cannot be told from effect."
    of = ""
    if comparison.gain(choice.variant.slug, choice.treatment).has_interval:
        of = " for the difference to random"
    elif comparison.over_random(choice.variant.slug, choice.treatment).has_interval:
        of = f" for the difference to {comparison.actions[choice.treatment.action].gerund} nothing"
    return f"no interval can be given{of} (too few seeds hold both numbers, or the seeds do not differ)."


def evidence(
    comparison: Comparison, choice: Choice, to_none: tuple[Estimate, float], to_random: tuple[Estimate, float]
) -> str:
    """The differences behind the headline, with intervals and corrected p-values."""
    (gain, p_none), (over_random, p_random) = to_none, to_random
    measure, action = comparison.measure, comparison.actions[choice.treatment.action]
    sentences = [f"Difference to {action.gerund} nothing: {_difference(comparison, gain, p_none)}, {seeds(gain.n)}."]
    if over_random.n:
        random = measure.gain_with_unit(comparison.gain("random", choice.treatment).mean)
        sentences.append(f"{opening(at_random(action, choice.treatment.fraction))}: {random}.")
        sentences.append(f"Difference to random: {_difference(comparison, over_random, p_random)}.")
    else:
        sentences.append(f"No random {action.noun} was run beside it.")
    return " ".join([*sentences, *([measure.direction] if measure.direction else [])])


def _difference(comparison: Comparison, difference: Estimate, p_value: float) -> str:
    said = comparison.measure.gain_with_unit(difference.mean)
    if not difference.has_interval:
        return f"{said} (no interval)"
    interval = comparison.measure.gain_interval(difference)
    return f"{said} (95\u00a0% interval {interval}, Holm-corrected {p_text(p_value)})"


def chosen_how(comparison: Comparison, choice: Choice) -> str:
    """By what the variant was chosen, among how many, and what could not be chosen."""
    said = (
        f"Chosen by validation, not by test: of the {len(comparison.eligible)} variants compared, "
        f"{choice.variant.label} reached the lowest {comparison.measure.validated_by}, and did so at "
        f"{share_treated(comparison, choice.treatment)}."
    )
    barred = [variant.label for variant in comparison.compared if variant.trains_on_validation]
    if barred:
        were = "was" if len(barred) == 1 else "were"
        said += f" {listed(barred)}, whose scores come from validation labels, {were} not eligible."
    return said + rivals(comparison, choice)


def caution(comparison: Comparison, gain: Estimate) -> str | None:
    """A warning where fewer than 5 seeds stand behind the gain."""
    if not gain.wide:
        return None
    measure = comparison.measure
    each = f"{', '.join(measure.gain(value) for value in gain.values.values())} {measure.gain_unit}".rstrip()
    if gain.n < 2:
        return f"Only {seeds(gain.n)}: no interval of the gain. The difference seen: {each}."
    if not gain.has_interval:
        return f"Only {seeds(gain.n)}, and no interval of the gain. Differences seed by seed: {each}."
    return f"Only {seeds(gain.n)}: the interval is wide. Differences seed by seed: {each}."


def detection(comparison: Comparison, variant: ReportedVariant) -> str | None:
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
    part = share(round(recall, 3))
    return (
        f"{said}. Among as many lowest-scored examples as there are wrong labels, {part} of them are found and "
        f"{missed:,.0f} are missed."
    )


def ceiling(comparison: Comparison, choice: Choice) -> str | None:
    """What the oracle gained at the noise rate under the same action, and which part of it was recovered."""
    rate, action = comparison.noise_fraction, comparison.actions[choice.treatment.action]
    if rate is None:
        return None
    oracle = comparison.gain("oracle", Treatment(choice.treatment.action, rate))
    if not oracle.n:
        return None
    brought = (
        f"{opening(action.gerund)} exactly the wrong labels ({share(rate)}) brought "
        f"{comparison.measure.gain_with_unit(oracle.mean)}"
    )
    if not oracle.has_interval:
        return f"{brought} ({seeds(oracle.n)}, no interval)."
    if not oracle.above_zero:
        return f"{brought}, itself not clear of zero: there is no ceiling to measure against."
    gain = comparison.gain(choice.variant.slug, choice.treatment)
    if not gain.above_zero:
        return f"{brought}; nothing detectable of it was recovered."
    recovered = f"{100 * gain.mean / oracle.mean:.0f}\u00a0%"
    return f"{brought}; {choice.variant.label} recovers {recovered} of that."


def rivals(comparison: Comparison, choice: Choice) -> str:
    """How many of the other variants test cannot tell from the one named, Holm-corrected over them."""
    others = [variant.slug for variant in comparison.eligible if variant.slug != choice.variant.slug]
    differences = [comparison.difference(choice.variant.slug, slug, choice.treatment) for slug in others]
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
