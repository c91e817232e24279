"""Lines of a variant's gain against the fraction treated, and what panels of them share."""

from collections.abc import Iterable
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.figures.drawing import percent_axis
from heft.reporting.figures.palette import FAINT, INK, readable
from heft.reporting.treatment import Treatment


def draw_gain(
    axes: Axes, comparison: Comparison, variant: ReportedVariant, action: str, colour: Any, *,
    before: float | None = None, band: bool = False, bars: bool = False, **line: object,
) -> None:  # fmt: skip
    """A variant's gain under an action against the fraction; with its interval as a band, as bars, or without.

    before: the untreated model's measure, where the measure itself is drawn rather than what it gains.
    """
    gains = _gains(comparison, variant, action)
    where, means = [fraction for fraction, _ in gains], [drawn(comparison, gain.mean, before) for _, gain in gains]
    sns.lineplot(x=where, y=means, ax=axes, color=colour, estimator=None, **({"legend": False} | line))
    known = [(fraction, gain) for fraction, gain in gains if gain.has_interval]
    spots = [fraction for fraction, _ in known]
    lows = [drawn(comparison, gain.low, before) for _, gain in known]
    highs = [drawn(comparison, gain.high, before) for _, gain in known]
    if band and known:
        axes.fill_between(spots, lows, highs, color=colour, alpha=0.16, linewidth=0)
    if bars and known:
        axes.vlines(spots, lows, highs, color=colour, linewidth=1.2)
        sns.scatterplot(x=where, y=means, ax=axes, color=colour, s=18, linewidth=0, legend=False, zorder=3)


def drawn(comparison: Comparison, gain: float, before: float | None) -> float:
    """Where a gain lies on the axis: by itself, or as the measure that it leads to from `before`."""
    measure = comparison.measure
    return measure.scale * gain if before is None else before + measure.sign * measure.scale * gain


def draw_others(
    axes: Axes, comparison: Comparison, variants: list[ReportedVariant], action: str, *, before: float | None = None,
    linewidth: float = 0.8,
) -> None:  # fmt: skip
    """Grey lines of the variants that are not this panel's."""
    fractions = comparison.fractions_of(action)
    for variant in variants:
        gains = [comparison.gain(variant.slug, Treatment(action, fraction)).mean for fraction in fractions]
        means = [drawn(comparison, gain, before) for gain in gains]
        axes.plot(fractions, means, color=FAINT, linewidth=linewidth, zorder=1)


def draw_difference(
    axes: Axes, height: float, difference: Estimate, written: str, colour: str, marker: str, *, scale: float,
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


def last_gain(comparison: Comparison, variant: ReportedVariant, action: str) -> float:
    """The gain at the largest fraction that has one."""
    gains = _gains(comparison, variant, action)
    return gains[-1][1].mean if gains else 0.0


def finish_panels(panels: Iterable[Axes], used: int, columns: int, comparison: Comparison, participle: str) -> None:
    """The shared axis, the level of the untreated model, labels at the left and at the bottom, and no empty panel."""
    panels, measure = list(panels), comparison.measure
    percent_axis(panels[0], comparison.fractions, "")  # the panels share it
    for k, axes in enumerate(panels):
        axes.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlabel(f"{participle} (%)" if k + columns >= used else "")
        axes.xaxis.label.set_visible(True)
        axes.grid(visible=False, axis="x")
        axes.tick_params(labelbottom=k + columns >= used)
        if k % columns == 0:
            axes.set_ylabel(measure.gain_axis(measure.change))
        axes.set_visible(k < used)


def _gains(comparison: Comparison, variant: ReportedVariant, action: str) -> list[tuple[float, Estimate]]:
    """The gain at each fraction that has one."""
    gains = [(part, comparison.gain(variant.slug, Treatment(action, part))) for part in comparison.fractions_of(action)]
    return [(fraction, gain) for fraction, gain in gains if gain.n]
