"""Lines of a variant's gain against the fraction removed, and what panels of them share."""

from collections.abc import Iterable
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import Variant
from heft.reporting.figures.drawing import percent_axis
from heft.reporting.figures.palette import FAINT, INK, readable


def draw_gain(
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


def draw_others(
    axes: Axes, comparison: Comparison, variants: list[Variant], offset: float = 0.0, linewidth: float = 0.8
) -> None:
    """Grey lines of the variants that are not this panel's."""
    for variant in variants:
        means = [offset + 100 * comparison.gain(variant.slug, fraction).mean for fraction in comparison.fractions]
        axes.plot(comparison.fractions, means, color=FAINT, linewidth=linewidth, zorder=1)


def draw_difference(
    axes: Axes, height: float, difference: Estimate, written: str, colour: str, marker: str, *, scale: float = 100,
    hollow: bool = False,
) -> None:  # fmt: skip
    """A row at `height`: the interval as a bar, the mean as a mark, and at the right what is written of it."""
    if difference.has_interval:
        ends = [scale * difference.low, scale * difference.high]
        axes.plot(ends, [height] * 2, color=colour, linewidth=2.2)
    inside = "white" if hollow else colour
    axes.plot(scale * difference.mean, height, marker, color=colour, markersize=7, markerfacecolor=inside)
    place = (1.02, height)
    axes.annotate(written, place, xycoords=("axes fraction", "data"), va="center", color=readable(colour))


def last_gain(comparison: Comparison, variant: Variant) -> float:
    """The gain in points at the largest fraction that has one."""
    gains = [comparison.gain(variant.slug, fraction) for fraction in comparison.fractions]
    return 100 * next((gain.mean for gain in reversed(gains) if gain.n), 0.0)


def finish_panels(panels: Iterable[Axes], used: int, columns: int, comparison: Comparison) -> None:
    """The shared axis, the level of no removal, labels at the left and at the bottom, and no empty panel."""
    panels = list(panels)
    percent_axis(panels[0], comparison.fractions, "")  # the panels share it
    for k, axes in enumerate(panels):
        axes.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlabel("removed (%)" if k + columns >= used else "")
        axes.xaxis.label.set_visible(True)
        axes.grid(visible=False, axis="x")
        axes.tick_params(labelbottom=k + columns >= used)
        if k % columns == 0:
            axes.set_ylabel("change (points)")
        axes.set_visible(k < used)
