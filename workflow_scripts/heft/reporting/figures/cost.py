"""The figure of quality against what it costs, in forward passes."""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

import pandas as pd
from matplotlib.ticker import FuncFormatter

from heft.evaluation.statistics import Estimate, estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.labels import label_points
from heft.reporting.figures.palette import method_colours, method_markers
from heft.reporting.text import takeaways
from heft.reporting.text.verdict import Verdict
from heft.reporting.treatment import Treatment
from heft.reporting.wording import amount, share

MOST_NAMES = 24  # beside as many points names still find room


class Point(NamedTuple):
    """A variant's place in a panel."""

    cost: float
    quality: float
    variant: ReportedVariant


def draw_cost(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Quality against the cost of the score in forward passes over the training set, logarithmic."""
    if verdict.choice is None:
        return None
    costs = {
        variant.slug: comparison.per_variant(variant.slug, "forward_passes").mean for variant in comparison.compared
    }
    shown = [variant for variant in comparison.compared if isfinite(costs[variant.slug]) and costs[variant.slug] > 0]
    if not shown:
        return None
    measures = _measures(comparison, verdict.choice.treatment)
    figure = new_figure(5.0 * len(measures), 4.2)
    colours, markers = method_colours(comparison), method_markers(comparison)
    for axes, (label, measure) in zip(figure.subplots(1, len(measures), squeeze=False).ravel(), measures, strict=True):
        points = [Point(costs[variant.slug], measure(variant).mean, variant) for variant in shown]
        points = [point for point in points if isfinite(point.quality)]
        axes.set_xscale("log")
        for cost, quality, variant in points:
            colour = colours[variant.method]
            filled = colour if variant.plain else "white"
            axes.plot(cost, quality, markers[variant.method], color=colour, markerfacecolor=filled, markersize=8)
        axes.set(xlabel="cost of the score (forward passes over the training set)", ylabel=label)
        axes.margins(x=0.16, y=0.12)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
        named = points if len(points) <= MOST_NAMES else _outstanding(points)
        names = [(cost, quality, variant.short, colours[variant.method]) for cost, quality, variant in named]
        label_points(figure, axes, names, [(point.cost, point.quality) for point in points if point not in named])
    title = "What a score costs, and what it is worth"
    description = (
        "Each variant by the cost of its score (logarithmic, training of further models included) and by its quality; "
        "filled marks are plain methods, hollow ones ensembles."
    )
    if len(shown) > MOST_NAMES:
        description += " Names stand beside the plain methods that no cheaper one equals, and beside the best of all."
    return to_picture(figure, "cost", title, takeaways.of_cost(shown, costs, *measures[0]), description)


def _outstanding(points: list[Point]) -> list[Point]:
    """The plain methods that no cheaper one equals, and the best of all."""
    plain = [point for point in points if point.variant.plain]
    named = [
        point
        for point in plain
        if not any(other.cost < point.cost and other.quality >= point.quality for other in plain)
    ]
    best = max(points, key=lambda point: point.quality)
    return named if best in named else [*named, best]


def _measures(comparison: Comparison, treatment: Treatment) -> list[tuple[str, Callable[[ReportedVariant], Estimate]]]:
    """What counts as quality: AUROC where true labels are known, and the gain under the headline's treatment."""
    measure = comparison.measure

    def auroc(variant: ReportedVariant) -> Estimate:
        return comparison.per_variant(variant.slug, "noise_auroc")

    def gain(variant: ReportedVariant) -> Estimate:
        gains = comparison.gain(variant.slug, treatment).values
        return estimate(pd.Series({seed: measure.scale * value for seed, value in gains.items()}, dtype=float))

    how = f"{share(treatment.fraction)} {comparison.actions[treatment.action].participle}"
    gains = (measure.gain_axis(f"{measure.change} of {measure.short}, {how}"), gain)
    return [("AUROC of wrong labels", auroc), gains] if comparison.noise_known else [gains]
