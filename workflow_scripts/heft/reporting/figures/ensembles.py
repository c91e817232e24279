"""The figure of what averaging a score over more models brings, against the same score of one model."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.lines import draw_difference
from heft.reporting.figures.palette import INK, method_colours, method_markers
from heft.reporting.text import takeaways
from heft.reporting.text.verdict import Verdict
from heft.reporting.treatment import Treatment
from heft.reporting.wording import MINUS, qualified, share


class Quality(NamedTuple):
    """A difference to the plain method, and how it is written. scale: of the axis."""

    label: str
    difference: Callable[[ReportedVariant], Estimate]
    scale: float
    written: Callable[[float], str]


def draw_ensemble_size(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Difference of AUROC and measure to the plain method: a row for each ensemble and size."""
    ensembles = [variant for variant in comparison.compared if not variant.plain]
    shown = [variant for variant in ensembles if comparison.find(variant.base) is not None]
    if verdict.choice is None or not shown:
        return None
    qualities = _qualities(comparison, verdict.choice.treatment)
    heights = _heights(shown)
    figure = new_figure(10.6, 0.2 * heights[-1] + 1.1)
    panels = figure.subplots(1, len(qualities), sharey=True, squeeze=False).ravel()
    for axes, quality in zip(panels, qualities, strict=True):
        _draw(axes, comparison, shown, heights, quality)
    panels[0].set_yticks(heights, _names(shown), color=INK)
    panels[0].set_ylim(heights[-1] + 0.8, -0.8)
    title = "What more models bring"
    description = (
        "A row for each method, kind and number of models that its score is averaged over: the mean difference to the "
        "same method with one model, and its 95 % interval paired by seed."
    )
    return to_picture(
        figure,
        "ensemble-size",
        title,
        takeaways.of_ensemble_size(comparison, verdict.choice.treatment.action),
        description,
    )


def _qualities(comparison: Comparison, treatment: Treatment) -> list[Quality]:
    measure, words = comparison.measure, comparison.actions[treatment.action]
    gain = Quality(
        measure.gain_axis(f"{measure.change} of {measure.short}, {share(treatment.fraction)} {words.participle}"),
        lambda variant: comparison.difference(variant.slug, variant.base, treatment),
        measure.scale,
        measure.gain,
    )
    auroc = Quality(
        "change of the AUROC of wrong labels",
        lambda variant: comparison.paired(variant.slug, variant.base, "noise_auroc"),
        1,
        lambda value: f"{round(value, 4) or 0.0:+.4f}".replace("-", MINUS),
    )
    return [auroc, gain] if comparison.noise_known else [gain]


def _heights(shown: list[ReportedVariant]) -> list[float]:
    """One row below another, with room between scorers."""
    heights = [0.0]
    for before, after in pairwise(shown):
        heights.append(heights[-1] + (1 if before.scorer == after.scorer else 1.7))
    return heights


def _names(shown: list[ReportedVariant]) -> list[str]:
    """The size of each, at the first of a scorer with its name."""
    named, last = [], ""
    for variant in shown:
        name = "" if variant.scorer == last else qualified(variant.title, variant.kind) + "  "
        named.append(f"{name}×{variant.members}")
        last = variant.scorer
    return named


def _draw(
    axes: Axes, comparison: Comparison, shown: list[ReportedVariant], heights: list[float], quality: Quality
) -> None:
    colours, markers = method_colours(comparison), method_markers(comparison)
    for height, variant in zip(heights, shown, strict=True):
        difference = quality.difference(variant)
        if difference.n:
            written, colour, marker = quality.written(difference.mean), colours[variant.method], markers[variant.method]
            draw_difference(axes, height, difference, written, colour, marker, scale=quality.scale)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlabel(quality.label)
    axes.grid(visible=False, axis="y")
