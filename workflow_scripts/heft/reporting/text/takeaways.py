"""One sentence for each figure, from its numbers; claims are Holm-corrected over all that the figure compares."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

import pandas as pd

from heft.evaluation.statistics import Estimate, holm
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import SIGNIFICANT
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.text.actions import at, opening, share_treated
from heft.reporting.treatment import Treatment
from heft.reporting.wording import amount, decimal, listed, seeds, signed

MOST_NAMES = 10
Compared = TypeVar("Compared")


def of_plain_gain(comparison: Comparison) -> str:
    """Which plain method gains most."""
    candidates = [
        (comparison.gain(variant.slug, treatment), variant, treatment)
        for variant in comparison.compared
        if variant.plain
        for treatment in comparison.treatments
    ]
    clear = _clearly_above(candidates, [gain for gain, _, _ in candidates])
    if not clear:
        over = f"no {comparison.any_action.noun}"
        return f"No plain method's gain over {over} is clear of zero after Holm's correction over all points."
    gain, variant, treatment = max(clear, key=lambda candidate: candidate[0].mean)
    measure, where = comparison.measure, f"{variant.label} at {share_treated(comparison, treatment)}"
    n_clear, n_methods = (len({variant.slug for _, variant, _ in group}) for group in (clear, candidates))
    return (
        f"The largest clear gain of a plain method is that of {where}: {measure.gain_with_unit(gain.mean)} "
        f"({measure.gain_interval(gain)}); {n_clear} of {n_methods} methods have a clear gain at some "
        f"{'action and fraction' if comparison.several else 'fraction'}."
    )


def of_ensemble_gain(comparison: Comparison, action: str) -> str:
    """Which ensembles beat their plain method in the measure, under one action."""
    fractions = comparison.fractions_of(action)
    rate = comparison.noise_fraction
    treatment = Treatment(action, rate if rate in fractions else fractions[-1])
    ensembles = [variant for variant in comparison.compared if not variant.plain]
    differences = [comparison.difference(variant.slug, variant.base, treatment) for variant in ensembles]
    better = [variant.label for variant in _clearly_above(ensembles, differences)]
    where = opening(at(comparison.actions[action], treatment.fraction))
    if not better:
        return f"{where}, no ensemble is detectably better than its plain method."
    return f"{where}, clearly better than the plain method: {listed(better)}."


def of_over_random(comparison: Comparison, treatment: Treatment) -> str:
    """How many variants beat the same treatment of random examples, and how many fall behind it."""
    corrected = comparison.corrected(treatment, "random")
    clear = [
        comparison.over_random(slug, treatment).mean for slug, p_value in corrected.items() if p_value < SIGNIFICANT
    ]
    above, below = sum(mean > 0 for mean in clear), sum(mean < 0 for mean in clear)
    noun = comparison.actions[treatment.action].noun
    said = f"{above} of {len(corrected)} variants beat random {noun} after Holm's correction"
    return said + (f"; {below} are worse than random." if below else "; none is detectably worse than random.")


def of_precision_recall(comparison: Comparison, plain: list[ReportedVariant]) -> str:
    """Which plain method has the highest average precision."""
    precisions = {variant.label: comparison.per_variant(variant.slug, "noise_ap").mean for variant in plain}
    best = max(precisions, key=lambda label: precisions[label])
    chance = f"; a random order gives {decimal(comparison.noise_rate, 2)}" if comparison.noise_rate is not None else ""
    return f"Highest mean average precision of the plain methods: {best}, {decimal(precisions[best])}{chance}."


def of_ensemble_size(comparison: Comparison, action: str) -> str:
    """Whether the largest ensemble of each kind is better than the plain method."""
    if not comparison.noise_known:
        return of_ensemble_gain(comparison, action)
    by_size = sorted(comparison.compared, key=lambda variant: variant.members)
    of_scorer = {variant.scorer: variant for variant in by_size if not variant.plain}  # the largest comes last
    largest = [of_scorer[scorer] for scorer in sorted(of_scorer)]
    differences = [comparison.paired(variant.slug, variant.base, "noise_auroc") for variant in largest]
    better = [variant.label for variant in _clearly_above(largest, differences)]
    if not better:
        return "The AUROC of no largest ensemble is detectably above that of its plain method."
    return f"AUROC is clearly above the plain method's for {listed(better)}."


def of_cost(
    shown: list[ReportedVariant], costs: dict[str, float], label: str, measure: Callable[[ReportedVariant], Estimate]
) -> str:
    """What the best and the cheapest score cost."""
    best = max(shown, key=lambda variant: measure(variant).mean)
    cheapest = min(shown, key=lambda variant: costs[variant.slug])
    what = "mean AUROC" if "AUROC" in label else "mean gain"
    said = f"The highest {what}, of {best.label}, costs {amount(costs[best.slug])} forward passes"
    return f"{said}; the cheapest score, {cheapest.label}, {amount(costs[cheapest.slug])}."


def of_training(base: pd.DataFrame, noise_rate: float | None) -> str:
    """How far the models fit their training labels."""
    last = base[base["epoch"] == base["epoch"].max()]
    train, validation = 100 * last["train_accuracy"].mean(), 100 * last["validation_accuracy"].mean()
    said = f"After epoch {int(base['epoch'].max())} the models fit {train:.1f} % of their training labels"
    wrong = ", wrong ones included" if noise_rate else ""
    return f"{said}{wrong}, and {validation:.1f} % of the validation labels."


def of_agreement(shown: list[ReportedVariant], matrix: pd.DataFrame, n_seeds: int) -> str:
    """Which two methods under test rank the examples most and least alike."""
    names = {variant.slug: variant.label for variant in shown if variant.compared}
    pairs = [(matrix.loc[first, second], names[first], names[second]) for first, second in combinations(names, 2)]
    if not pairs:
        return f"Mean over {seeds(n_seeds)}."
    most, least = max(pairs), min(pairs)
    said = f"Most alike are {most[1]} and {most[2]} ({signed(most[0])})"
    if len(pairs) > 1:
        said += f", least {least[1]} and {least[2]} ({signed(least[0])})"
    return f"{said}; means over {seeds(n_seeds)}."


def of_classes(label: str, changes: list[tuple[str, Estimate]]) -> str:
    """Which classes a treatment clearly helps, and which it clearly harms."""
    corrected = holm(change.p_value for _, change in changes)
    clear = [
        (name, change.mean) for (name, change), p_value in zip(changes, corrected, strict=True) if p_value < SIGNIFICANT
    ]
    better = [name for name, mean in reversed(clear) if mean > 0]
    worse = [name for name, mean in clear if mean < 0]
    if not clear:
        return f"{label}: for no class is the change clear of zero after Holm's correction over the classes."
    return (
        f"{label}, Holm-corrected over {len(changes)} classes: clearly better for {_first(better)}; "
        f"clearly worse for {_first(worse)}."
    )


def _first(names: list[str]) -> str:
    """The names, the first ones where there are many."""
    return listed(names if len(names) <= MOST_NAMES else [*names[:MOST_NAMES], f"{len(names) - MOST_NAMES} more"])


def _clearly_above(compared: Sequence[Compared], differences: Sequence[Estimate]) -> list[Compared]:
    """Those whose difference is clearly above zero after Holm's correction over all of them."""
    corrected = holm(difference.p_value for difference in differences)
    return [
        item
        for item, difference, p_value in zip(compared, differences, corrected, strict=True)
        if difference.above_zero and p_value < SIGNIFICANT
    ]
