"""Figures of test accuracy against the fraction removed: a panel for each method, and for each ensemble."""

from math import ceil

import seaborn as sns

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import MARK, Variant
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.lines import draw_gain, draw_others, finish_panels
from heft.reporting.figures.palette import DASHES, MARKERS, MUTED, method_colours, readable
from heft.reporting.text import takeaways
from heft.reporting.wording import listed

MOST_SIZES = 5  # lines of a panel that can be told apart, and named in it


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
        draw_others(axes, comparison, [other for other in plain if other.slug != variant.slug])
        draw_gain(axes, comparison, variant, colours[variant.method], linewidth=2.4, band=True, bars=True)
        for baseline in comparison.baselines:
            level = 100 * comparison.gain(baseline.slug, 0.0).mean
            axes.axhline(level, color=colours[baseline.method], linewidth=1, linestyle=(0, (6, 1.5, 1.4, 1.5)))
        axes.set_title(variant.marked, color=readable(colours[variant.method]))
    finish_panels(panels, len(plain), columns, comparison)
    takeaway = takeaways.of_plain_accuracy(comparison)
    title = "What removing the lowest-scored examples does, method by method"
    description = (
        "Small multiples. Each panel shows, in colour, the mean change of test accuracy against no removal at each "
        "fraction removed, with 95 % intervals paired by seed; the other methods are grey."
    )
    if comparison.baselines:
        names = listed([one.marked for one in comparison.baselines])
        description += f" The dash-dotted level is that of {names}, with nothing removed."
    if any(one.trains_on_validation for one in [*plain, *comparison.baselines]):
        description += f" {MARK} trained on validation labels."
    return to_picture(figure, "accuracy-by-method", title, takeaway, description)


def draw_ensemble_accuracy(comparison: Comparison) -> Picture | None:
    """One panel for each method and ensemble kind: a line for each size, the plain method dashed."""
    scorers = sorted({variant.scorer for variant in comparison.compared if not variant.plain})
    if not scorers or comparison.unpruned.empty:
        return None
    columns = min(2 if len(scorers) == 4 else 3, len(scorers))
    rows = ceil(len(scorers) / columns)
    figure = new_figure(min(10.6, 4.4 * columns), 2.7 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colours = method_colours(comparison)
    cut = False
    for axes, scorer in zip(panels, scorers, strict=False):
        found = [variant for variant in comparison.compared if variant.scorer == scorer]
        members = evenly_spread(found, MOST_SIZES)
        cut = cut or len(members) < len(found)
        base = comparison.find(members[0].base)
        colour = colours[members[0].method]
        shades = sns.light_palette(readable(colour), len(members) + 2)[2:]
        if base is not None:
            draw_gain(axes, comparison, base, MUTED, linewidth=1.3, linestyle="--", label="×1 (plain)")
        for place, (variant, shade) in enumerate(zip(members, shades, strict=True)):
            largest = variant is members[-1]
            label = f"×{variant.members}"
            signs = {"marker": MARKERS[place % len(MARKERS)], "markersize": 4, "linestyle": DASHES[place % len(DASHES)]}
            draw_gain(axes, comparison, variant, shade, linewidth=2, band=largest, bars=largest, label=label, **signs)
        axes.set_title(f"{members[0].title}\n{members[0].kind}", color=readable(colour), fontsize=10)
        axes.legend(loc="best", handlelength=1.6, labelspacing=0.25)
    finish_panels(panels, len(scorers), columns, comparison)
    title = "What averaging a score over K models does"
    description = (
        "Small multiples, one for each method and ensemble kind: mean change of test accuracy against no removal at "
        "each fraction, a line for each ensemble size; the interval is drawn for the largest."
    )
    if cut:
        description += f" Of more sizes {MOST_SIZES} are drawn, evenly spread; another figure has all."
    return to_picture(figure, "accuracy-by-ensemble", title, takeaways.of_ensemble_accuracy(comparison), description)


def evenly_spread(variants: list[Variant], most: int) -> list[Variant]:
    """At most `most` of them, evenly spread, the first and the last included."""
    if len(variants) <= most:
        return variants
    return [variants[round(place * (len(variants) - 1) / (most - 1))] for place in range(most)]
