"""Figures of quality against what it costs: the number of models, and forward passes."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from heft.reporting import takeaways
from heft.reporting.comparison import Comparison
from heft.reporting.drawing import Picture, new_figure, to_picture
from heft.reporting.labels import label_points
from heft.reporting.palette import method_colours, method_markers
from heft.reporting.variant import Variant
from heft.reporting.verdict import Verdict
from heft.reporting.wording import amount, qualified, share
from heft.statistics import Estimate, estimate

DASHES: dict[str, Any] = {
    "seeds": "-", "parameter_dropout": (0, (3, 1.2)), "gaussian": (0, (6, 1.5, 1.4, 1.5)),
    "activation_dropout": (0, (1.4, 1.2)), "checkpoints": (0, (3, 1, 1, 1, 1, 1)),
}  # fmt: skip


def draw_ensemble_size(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """AUROC and gain against the number of models a score is averaged over, for each method and kind."""
    if verdict.choice is None or all(variant.plain for variant in comparison.compared):
        return None
    fraction = verdict.choice.fraction
    measures = _measures(comparison, fraction)
    figure = new_figure(4.6 * len(measures), 3.9)
    panels = figure.subplots(1, len(measures), squeeze=False).ravel()
    colours, markers = method_colours(comparison), method_markers(comparison)
    scorers = sorted({variant.scorer for variant in comparison.compared if not variant.plain})
    for axes, (label, measure) in zip(panels, measures, strict=True):
        ends = []
        for scorer in scorers:
            members = [variant for variant in comparison.compared if variant.scorer == scorer]
            base = comparison.find(members[0].base)
            shown = ([base] if base is not None else []) + members
            estimates = [measure(variant) for variant in shown]
            colour = colours[members[0].method]
            dash = DASHES.get(members[0].ensemble, (0, (1, 1)))
            _sizes(axes, [variant.members for variant in shown], estimates, colour, dash, markers[members[0].method])
            ends.append((shown[-1].members, estimates[-1].mean, qualified(members[0].title, members[0].kind), colour))
        sizes = sorted({1} | {variant.members for variant in comparison.compared})
        axes.set_xticks(sizes)
        axes.set(xlabel="models averaged over (K; 1 = plain)", ylabel=label)
        axes.grid(visible=False, axis="x")
        axes.set_xlim(right=sizes[-1] * 1.5)
        label_points(figure, axes, [end for end in ends if isfinite(end[1])])
    title = "What more models bring"
    description = (
        "For each method and ensemble kind, the mean over seeds with its 95 % interval against the number of models "
        "averaged over; size 1 is the plain method."
    )
    return to_picture(figure, "ensemble-size", title, takeaways.of_ensemble_size(comparison), description)


def draw_cost(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Quality against the cost of the score in forward passes over the training set, logarithmic."""
    if verdict.choice is None:
        return None
    costs = {one.slug: comparison.per_variant(one.slug, "forward_passes").mean for one in comparison.compared}
    shown = [one for one in comparison.compared if isfinite(costs[one.slug]) and costs[one.slug] > 0]
    if not shown:
        return None
    measures = _measures(comparison, verdict.choice.fraction)
    figure = new_figure(5.0 * len(measures), 4.2)
    colours, markers = method_colours(comparison), method_markers(comparison)
    for axes, (label, measure) in zip(figure.subplots(1, len(measures), squeeze=False).ravel(), measures, strict=True):
        points = [(costs[one.slug], measure(one).mean, one) for one in shown]
        points = [point for point in points if isfinite(point[1])]
        axes.set_xscale("log")
        for cost, quality, variant in points:
            filled = colours[variant.method] if variant.plain else "white"
            axes.plot(
                cost,
                quality,
                markers[variant.method],
                color=colours[variant.method],
                markerfacecolor=filled,
                markersize=8,
            )
        axes.set(xlabel="cost of the score (forward passes over the training set)", ylabel=label)
        axes.margins(x=0.16, y=0.12)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
        label_points(figure, axes, [(x, y, one.short, colours[one.method]) for x, y, one in points])
    title = "What a score costs, and what it is worth"
    description = (
        "Each variant by the cost of its score (logarithmic, training of further models included) and by its quality; "
        "filled marks are plain methods, hollow ones ensembles."
    )
    return to_picture(figure, "cost", title, takeaways.of_cost(shown, costs, *measures[0]), description)


def _measures(comparison: Comparison, fraction: float) -> list[tuple[str, Callable[[Variant], Estimate]]]:
    """What counts as quality: AUROC where true labels are known, and the gain in points at the headline's fraction."""

    def auroc(variant: Variant) -> Estimate:
        return comparison.per_variant(variant.slug, "noise_auroc")

    def gain(variant: Variant) -> Estimate:
        fractions = comparison.gain(variant.slug, fraction).values
        return estimate(pd.Series({seed: 100 * value for seed, value in fractions.items()}, dtype=float))

    gains = (f"change of accuracy, {share(fraction)} removed (points)", gain)
    return [("AUROC of wrong labels", auroc), gains] if comparison.noise_known else [gains]


def _sizes(axes: Axes, sizes: list[int], estimates: list[Estimate], colour: str, dash: Any, marker: str) -> None:
    means = [one.mean for one in estimates]
    axes.plot(sizes, means, color=colour, linestyle=dash, marker=marker, markersize=5, linewidth=2)
    for size, one in zip(sizes, estimates, strict=True):
        if one.has_interval:
            axes.plot([size, size], [one.low, one.high], color=colour, linewidth=1, alpha=0.55)
