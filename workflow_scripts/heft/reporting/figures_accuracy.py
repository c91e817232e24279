"""Figures of test accuracy: the answer, each method against the fraction removed, and every variant against random."""

from collections.abc import Iterable
from math import ceil
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes

from heft.reporting import takeaways
from heft.reporting.comparison import ACCURACY, Comparison, Variant
from heft.reporting.drawing import (
    FAINT,
    INK,
    MUTED,
    Picture,
    method_colours,
    method_markers,
    new_figure,
    percent_axis,
    to_picture,
)
from heft.reporting.labels import label_ends
from heft.reporting.verdict import Verdict
from heft.reporting.wording import points, qualified, share

GAIN_LABEL = "change of test accuracy\nagainst no removal (points)"


def draw_answer(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """The first screen's picture: the variant named in the headline, random and oracle, against no removal."""
    if verdict.choice is None:
        return None
    variant, fraction = verdict.choice.variant, verdict.choice.fraction
    figure = new_figure(6.4, 4.3)
    axes = figure.subplots()
    colours, before = method_colours(comparison), 100 * float(comparison.unpruned[ACCURACY].mean())
    others = [one for one in comparison.compared if one.plain and one.slug != variant.slug]
    _background(axes, comparison, others, offset=before, linewidth=1.2)
    axes.axhline(before, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    ends = [(before, "nothing removed", INK)]
    for slug, dash in (("random", (0, (1, 1.5))), ("oracle", "-"), (variant.slug, "-")):
        shown = comparison.find(slug)
        if shown is None:
            continue
        colour, strong = colours[shown.method], slug == variant.slug
        _line(axes, comparison, shown, colour, offset=before, linestyle=dash, linewidth=3 if strong else 1.6, band=True)
        name = {"random": "random", "oracle": "oracle (true labels)"}.get(slug, variant.label)
        ends.append((before + _last(comparison, shown), name, colour))
    percent_axis(axes, comparison.fractions)
    axes.axvline(fraction, color=FAINT, linewidth=8, alpha=0.35, zorder=0)
    axes.set_ylabel("test accuracy (%)")
    label_ends(axes, ends, fontsize=10, fontweight="bold")
    title = "Test accuracy against the share of training examples removed"
    parts = [f"Shaded: {share(fraction)}"] + (["grey lines: the other plain methods"] if others else [])
    parts += ["bands: 95 % intervals of the paired difference to no removal"] if len(comparison.seeds) > 1 else []
    takeaway = "; ".join(parts) + "."
    description = (
        f"Lines for {variant.label}, random removal and the oracle, and a level for the model without removal."
    )
    return to_picture(figure, "answer", title, takeaway, description)


def draw_plain_accuracy(comparison: Comparison) -> Picture | None:
    """One panel for each plain method, the others in grey."""
    plain = [variant for variant in comparison.variants if variant.plain]
    if not plain or comparison.unpruned.empty:
        return None
    columns = min(4, len(plain))
    rows = ceil(len(plain) / columns)
    figure = new_figure(2.55 * columns + 0.4, 2.25 * rows + 0.3)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colours = method_colours(comparison)
    for axes, variant in zip(panels, plain, strict=False):
        _background(axes, comparison, [other for other in plain if other.slug != variant.slug])
        _line(axes, comparison, variant, colours[variant.method], linewidth=2.4, band=True, bars=True)
        axes.set_title(variant.label, color=colours[variant.method])
    _finish_panels(panels, len(plain), columns, comparison)
    takeaway = takeaways.of_plain_accuracy(comparison)
    title = "What removing the lowest-scored examples does, method by method"
    description = (
        "Small multiples. Each panel shows, in colour, the mean change of test accuracy against no removal at each "
        "fraction removed, with 95 % intervals paired by seed; the other methods are grey."
    )
    return to_picture(figure, "accuracy-by-method", title, takeaway, description)


def draw_ensemble_accuracy(comparison: Comparison) -> Picture | None:
    """One panel for each method and ensemble kind: a line for each size, the plain method dashed."""
    scorers = sorted({variant.scorer for variant in comparison.compared if not variant.plain})
    if not scorers or comparison.unpruned.empty:
        return None
    columns = next((count for count in (3, 4, 2) if len(scorers) % count == 0), min(3, len(scorers)))
    rows = ceil(len(scorers) / columns)
    figure = new_figure(min(10.6, 4.4 * columns), 2.5 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colours = method_colours(comparison)
    for axes, scorer in zip(panels, scorers, strict=False):
        members = [variant for variant in comparison.compared if variant.scorer == scorer]
        base = comparison.find(members[0].base)
        colour = colours[members[0].method]
        shades = sns.light_palette(colour, len(members) + 2)[2:]
        if base is not None:
            _line(axes, comparison, base, MUTED, linewidth=1.3, linestyle="--", label="×1 (plain)")
        for variant, shade in zip(members, shades, strict=True):
            largest = variant is members[-1]
            label = f"×{variant.members}"
            _line(axes, comparison, variant, shade, linewidth=2, band=largest, bars=largest, label=label)
        axes.set_title(qualified(members[0].title, members[0].kind), color=colour)
        axes.legend(loc="upper left", handlelength=1.6, labelspacing=0.25)
    _finish_panels(panels, len(scorers), columns, comparison)
    title = "What averaging a score over K models does"
    description = (
        "Small multiples, one for each method and ensemble kind: mean change of test accuracy against no removal at "
        "each fraction, a line for each ensemble size; the interval is drawn for the largest."
    )
    return to_picture(figure, "accuracy-by-ensemble", title, takeaways.of_ensemble_accuracy(comparison), description)


def draw_over_random(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Every variant's difference to random removal at the headline's fraction, with its interval and each seed."""
    if verdict.choice is None or verdict.over_random is None or not verdict.over_random.n:
        return None
    fraction = verdict.choice.fraction
    shown = [(variant, comparison.over_random(variant.slug, fraction)) for variant in comparison.variants]
    shown = sorted([one for one in shown if one[0].slug != "random" and one[1].n], key=lambda one: one[1].mean)
    figure = new_figure(8.6, 0.33 * len(shown) + 1.0)
    axes = figure.subplots()
    colours, markers = method_colours(comparison), method_markers(comparison)
    for height, (variant, difference) in enumerate(shown):
        colour = colours[variant.method]
        values = [100 * value for value in difference.values.values()]
        sns.scatterplot(
            x=values, y=[height - 0.27] * len(values), ax=axes, color=colour, s=14, alpha=0.5, linewidth=0, legend=False
        )
        if difference.has_interval:
            axes.plot([100 * difference.low, 100 * difference.high], [height] * 2, color=colour, linewidth=2.2)
        axes.plot(100 * difference.mean, height, markers[variant.method], color=colour, markersize=7)
        axes.annotate(
            f"{points(difference.mean)}", (1.02, height), xycoords=("axes fraction", "data"), va="center", color=colour
        )
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown)), [variant.label for variant, _ in shown], color=INK)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    part = share(fraction)
    axes.set_xlabel(f"difference of test accuracy to removing a random {part} (points)")
    title = f"Each variant against random removal, at {part}"
    description = (
        "A row for each variant: mean difference of test accuracy to random removal (large mark), its 95 % interval "
        "paired by seed (bar) and each seed's difference (small dots)."
    )
    return to_picture(figure, "over-random", title, takeaways.of_over_random(comparison, fraction), description)


def _line(
    axes: Axes, comparison: Comparison, variant: Variant, colour: Any, *, offset: float = 0.0, band: bool = False,
    bars: bool = False, **line: object,
) -> None:  # fmt: skip
    """A variant's gain over no removal, in points above `offset`, against the fraction; with its interval as a band."""
    gains = [(fraction, comparison.gain(variant.slug, fraction)) for fraction in comparison.fractions]
    gains = [(fraction, gain) for fraction, gain in gains if gain.n]
    where, means = [fraction for fraction, _ in gains], [offset + 100 * gain.mean for _, gain in gains]
    sns.lineplot(x=where, y=means, ax=axes, color=colour, estimator=None, **({"legend": False} | line))
    known = [(fraction, gain) for fraction, gain in gains if gain.has_interval]
    spots = [fraction for fraction, _ in known]
    lows, highs = [offset + 100 * gain.low for _, gain in known], [offset + 100 * gain.high for _, gain in known]
    if band and known:
        axes.fill_between(spots, lows, highs, color=colour, alpha=0.16, linewidth=0)
    if bars and known:
        axes.vlines(spots, lows, highs, color=colour, linewidth=1.2)
        sns.scatterplot(x=where, y=means, ax=axes, color=colour, s=18, linewidth=0, legend=False, zorder=3)


def _background(
    axes: Axes, comparison: Comparison, variants: list[Variant], offset: float = 0.0, linewidth: float = 0.8
) -> None:
    """Grey lines of the variants that are not this panel's."""
    for variant in variants:
        means = [offset + 100 * comparison.gain(variant.slug, fraction).mean for fraction in comparison.fractions]
        axes.plot(comparison.fractions, means, color=FAINT, linewidth=linewidth, zorder=1)


def _last(comparison: Comparison, variant: Variant) -> float:
    gains = [comparison.gain(variant.slug, fraction) for fraction in comparison.fractions]
    return 100 * next((gain.mean for gain in reversed(gains) if gain.n), 0.0)


def _finish_panels(panels: Iterable[Axes], used: int, columns: int, comparison: Comparison) -> None:
    panels = list(panels)
    percent_axis(panels[0], comparison.fractions, "")  # the panels share it
    for k, axes in enumerate(panels):
        axes.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlabel("removed (%)" if k + columns >= used else "")
        axes.grid(visible=False, axis="x")
        axes.tick_params(labelbottom=k + columns >= used)
        if k % columns == 0:
            axes.set_ylabel("change (points)")
        axes.set_visible(k < used)
