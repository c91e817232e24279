"""Figures of what stands behind the accuracy: precision-recall, ensemble size, cost, and the training curves."""

from collections.abc import Callable
from math import isfinite

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from heft.reporting import takeaways
from heft.reporting.comparison import Comparison, Variant
from heft.reporting.drawing import (
    MUTED,
    Picture,
    method_colours,
    method_markers,
    new_figure,
    to_picture,
)
from heft.reporting.labels import label_ends, label_points
from heft.reporting.verdict import Verdict
from heft.reporting.wording import amount, decimal, qualified, share
from heft.statistics import Estimate, estimate

DASHES = {"parameter_dropout": (0, (3, 1.2)), "seeds": "-"}


def draw_precision_recall(curves: pd.DataFrame, comparison: Comparison) -> Picture | None:
    """Mean precision at each recall of the planted wrong labels, plain methods; the level is what chance gives."""
    plain = [variant for variant in comparison.compared if variant.plain]
    plain = [variant for variant in plain if (curves.get("variant", pd.Series(dtype=str)) == variant.slug).any()]
    if not plain:
        return None
    figure = new_figure(7.6, 4.2)
    axes = figure.subplots()
    colours = method_colours(comparison)
    for variant in sorted(plain, key=lambda one: -comparison.per_variant(one.slug, "noise_ap").mean):
        of_variant = curves[curves["variant"] == variant.slug]
        mean = of_variant.groupby("recall")["precision"].mean()
        colour = colours[variant.method]
        label = f"{decimal(comparison.per_variant(variant.slug, 'noise_ap').mean)}  {variant.label}"
        sns.lineplot(
            x=100 * mean.index, y=100 * mean.values, ax=axes, color=colour, linewidth=2, estimator=None, label=label
        )
    if comparison.noise_rate is not None:
        axes.axhline(100 * comparison.noise_rate, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(
            "random order", (99, 100 * comparison.noise_rate - 1.5), color=MUTED, fontsize=9, ha="right", va="top"
        )
    axes.set(
        xlim=(0, 100),
        ylim=(0, 102),
        xlabel="recall: wrong labels found (%)",
        ylabel="precision: of those pointed at, wrong (%)",
    )
    axes.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.55), title="average precision", alignment="left", labelspacing=0.7
    )
    title = "Precision at each share of the wrong labels found"
    description = (
        "For each plain method, the mean over seeds of the precision among the lowest-scored examples when a given "
        "share of all wrong labels has been found. The legend is ordered by average precision."
    )
    return to_picture(figure, "precision-recall", title, takeaways.of_precision_recall(comparison, plain), description)


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


def draw_training(history: pd.DataFrame, noise_rate: float | None) -> Picture | None:
    """Loss and accuracy of the base models by epoch: a thin line a seed, the mean strong."""
    if history.empty:
        return None
    figure = new_figure(9.2, 3.4)
    panels = figure.subplots(1, 2)
    base = history[history["run"] == history["run"].min()] if "run" in history else history
    for axes, quantity, factor in zip(panels, ("loss", "accuracy"), (1, 100), strict=True):
        ends = []
        for split, colour in (("train", "#0072B2"), ("validation", "#D55E00")):
            column = f"{split}_{quantity}"
            if column not in base or base[column].isna().all():
                continue
            for _, one in base.groupby("seed"):
                sns.lineplot(
                    x=one["epoch"],
                    y=factor * one[column],
                    ax=axes,
                    color=colour,
                    alpha=0.25,
                    linewidth=0.9,
                    estimator=None,
                )
            mean = factor * base.groupby("epoch")[column].mean()
            sns.lineplot(x=mean.index, y=mean.values, ax=axes, color=colour, linewidth=2.4, estimator=None)
            ends.append((float(mean.iloc[-1]), split, colour))
        axes.set(xlabel="epoch", ylabel="loss" if quantity == "loss" else "accuracy (%)")
        label_ends(axes, ends)
    title = "Loss and accuracy of the base models by epoch"
    description = (
        "Training and validation loss (left) and accuracy (right) by epoch; thin lines are seeds, strong ones means."
    )
    return to_picture(figure, "training", title, takeaways.of_training(base, noise_rate), description)


def _measures(comparison: Comparison, fraction: float) -> list[tuple[str, Callable[[Variant], Estimate]]]:
    """What counts as quality: AUROC where true labels are known, and the gain in points at the headline's fraction."""

    def auroc(variant: Variant) -> Estimate:
        return comparison.per_variant(variant.slug, "noise_auroc")

    def gain(variant: Variant) -> Estimate:
        fractions = comparison.gain(variant.slug, fraction).values
        return estimate(pd.Series({seed: 100 * value for seed, value in fractions.items()}, dtype=float))

    gains = (f"change of accuracy, {share(fraction)} removed (points)", gain)
    return [("AUROC of wrong labels", auroc), gains] if comparison.noise_known else [gains]


def _sizes(axes: Axes, sizes: list[int], estimates: list[Estimate], colour: str, dash: object, marker: str) -> None:
    means = [one.mean for one in estimates]
    axes.plot(sizes, means, color=colour, linestyle=dash, marker=marker, markersize=5, linewidth=2)
    for size, one in zip(sizes, estimates, strict=True):
        if one.has_interval:
            axes.plot([size, size], [one.low, one.high], color=colour, linewidth=1, alpha=0.55)
