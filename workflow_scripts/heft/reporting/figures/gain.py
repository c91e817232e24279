"""Figures of the gain against the fraction treated: a panel for each method, and for each ensemble."""

from math import ceil

import seaborn as sns
from matplotlib.axes import Axes

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import MARK, ReportedVariant
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.lines import draw_gain, draw_others, drawn, finish_panels
from heft.reporting.figures.palette import DASHES, MARKERS, MUTED, method_colours, readable
from heft.reporting.text import takeaways
from heft.reporting.treatment import UNTREATED
from heft.reporting.wording import listed

MOST_SIZES = 5  # lines of a panel that can be told apart, and named in it


def draw_plain_gain(comparison: Comparison) -> Picture | None:
    """One panel for each plain method, the others in grey; with a line for each action where there are several."""
    plain = [variant for variant in comparison.variants if variant.plain]
    if not plain or comparison.untreated.empty:
        return None
    columns = min(4, len(plain))
    rows = ceil(len(plain) / columns)
    figure = new_figure(2.55 * columns + 0.4, 2.25 * rows + 0.3)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colours = method_colours(comparison)
    for axes, variant in zip(panels, plain, strict=False):
        if comparison.several:
            _draw_actions(axes, comparison, variant, colours[variant.method], named=axes is panels[0])
        else:
            action = next(iter(comparison.actions))
            draw_others(axes, comparison, [other for other in plain if other.slug != variant.slug], action)
            draw_gain(axes, comparison, variant, action, colours[variant.method], linewidth=2.4, band=True, bars=True)
        for baseline in comparison.baselines:
            level = drawn(comparison, comparison.gain(baseline.slug, UNTREATED).mean, None)
            axes.axhline(level, color=colours[baseline.method], linewidth=1, linestyle=(0, (6, 1.5, 1.4, 1.5)))
        axes.set_title(variant.marked, color=readable(colours[variant.method]))
    finish_panels(panels, len(plain), columns, comparison, comparison.any_action.participle)
    takeaway = takeaways.of_plain_gain(comparison)
    title = f"What {comparison.any_action.gerund} the lowest-scored examples does, method by method"
    return to_picture(figure, "gain-by-method", title, takeaway, _plain_description(comparison, plain))


def _draw_actions(axes: Axes, comparison: Comparison, variant: ReportedVariant, colour: str, *, named: bool) -> None:
    """A line for each action, told apart by dashes and marks; in the first panel they are named."""
    for place, (action, words) in enumerate(comparison.actions.items()):
        signs = {"linestyle": DASHES[place % len(DASHES)], "marker": MARKERS[place % len(MARKERS)], "markersize": 4}
        draw_gain(axes, comparison, variant, action, colour, linewidth=1.8, band=True, label=words.participle, **signs)
    if named:
        axes.legend(loc="best", handlelength=2.6, labelspacing=0.25)


def _plain_description(comparison: Comparison, plain: list[ReportedVariant]) -> str:
    measure, noun = comparison.measure, comparison.any_action.noun
    if comparison.several:
        said = (
            f"Small multiples. Each panel shows the mean {measure.change} of {measure.title} against no {noun} at each "
            "fraction, with 95 % intervals paired by seed: a line for each action, named in the first panel."
        )
    else:
        said = (
            f"Small multiples. Each panel shows, in colour, the mean {measure.change} of {measure.title} against no "
            f"{noun} at each fraction {comparison.any_action.participle}, with 95 % intervals paired by seed; the "
            "other methods are grey."
        )
    if comparison.baselines:
        names = listed([baseline.marked for baseline in comparison.baselines])
        said += f" The dash-dotted level is that of {names}, with nothing {comparison.any_action.participle}."
    if any(variant.trains_on_validation for variant in [*plain, *comparison.baselines]):
        said += f" {MARK} trained on validation labels."
    return said


def draw_ensemble_gain(comparison: Comparison, action: str) -> Picture | None:
    """One panel for each method and ensemble kind: a line for each size, the plain method dashed; under one action."""
    scorers = sorted({variant.scorer for variant in comparison.compared if not variant.plain})
    if not scorers or comparison.untreated.empty:
        return None
    columns = min(2 if len(scorers) == 4 else 3, len(scorers))
    rows = ceil(len(scorers) / columns)
    figure = new_figure(min(10.6, 4.4 * columns), 2.7 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    cut = False
    for axes, scorer in zip(panels, scorers, strict=False):
        sizes = [variant for variant in comparison.compared if variant.scorer == scorer]
        drawn_sizes = evenly_spread(sizes, MOST_SIZES)
        cut = cut or len(drawn_sizes) < len(sizes)
        _draw_sizes(axes, comparison, drawn_sizes, action)
    words = comparison.actions[action]
    finish_panels(panels, len(scorers), columns, comparison, words.participle)
    title = "What averaging a score over K models does"
    description = (
        f"Small multiples, one for each method and ensemble kind: mean {comparison.measure.change} of "
        f"{comparison.measure.title} against no {words.noun} at each fraction, a line for each ensemble size; the "
        "interval is drawn for the largest."
    )
    if comparison.several:
        description += f" The lowest-scored examples are {words.participle}, the action of the headline."
    if cut:
        description += (
            f" Of more than {MOST_SIZES} sizes, {MOST_SIZES} are drawn, evenly spread; another figure shows all."
        )
    takeaway = takeaways.of_ensemble_gain(comparison, action)
    return to_picture(figure, "gain-by-ensemble", title, takeaway, description)


def _draw_sizes(axes: Axes, comparison: Comparison, sizes: list[ReportedVariant], action: str) -> None:
    """The lines of one panel: the plain method, and the sizes of one ensemble."""
    base, colour = comparison.find(sizes[0].base), method_colours(comparison)[sizes[0].method]
    shades = sns.light_palette(readable(colour), len(sizes) + 2)[2:]
    if base is not None:
        draw_gain(axes, comparison, base, action, MUTED, linewidth=1.3, linestyle="--", label="×1 (plain)")
    for place, (variant, shade) in enumerate(zip(sizes, shades, strict=True)):
        largest = variant is sizes[-1]
        label = f"×{variant.members}"
        signs = {"marker": MARKERS[place % len(MARKERS)], "markersize": 4, "linestyle": DASHES[place % len(DASHES)]}
        draw_gain(axes, comparison, variant, action, shade, linewidth=2, band=largest, bars=largest, label=label,
                  **signs)  # fmt: skip
    axes.set_title(f"{sizes[0].title}\n{sizes[0].kind}", color=readable(colour), fontsize=10)
    axes.legend(loc="best", handlelength=1.6, labelspacing=0.25)


def evenly_spread(variants: list[ReportedVariant], most: int) -> list[ReportedVariant]:
    """At most `most` of them, evenly spread, the first and the last included."""
    if len(variants) <= most:
        return variants
    return [variants[round(place * (len(variants) - 1) / (most - 1))] for place in range(most)]
