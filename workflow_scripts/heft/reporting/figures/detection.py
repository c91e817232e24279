"""The figure of how well wrong labels are found: precision against recall."""

import pandas as pd

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.palette import MUTED, method_colours, method_dashes, method_markers
from heft.reporting.text import takeaways
from heft.reporting.wording import decimal


# longer: one figure from top to bottom
def draw_precision_recall(curves: pd.DataFrame, comparison: Comparison) -> Picture | None:
    """Mean precision at each recall of the planted wrong labels, plain methods; the level is what chance gives."""
    plain = [variant for variant in comparison.compared if variant.plain]
    plain = [variant for variant in plain if (curves.get("variant", pd.Series(dtype=str)) == variant.slug).any()]
    if not plain:
        return None
    figure = new_figure(8.6, max(4.6, 0.2 * len(plain) + 0.7))  # so that the legend has room
    axes = figure.subplots()
    colours, markers, dashes = method_colours(comparison), method_markers(comparison), method_dashes(comparison)
    ordered = sorted(plain, key=lambda variant: -comparison.per_variant(variant.slug, "noise_ap").mean)
    for place, variant in enumerate(ordered):
        of_variant = curves[curves["variant"] == variant.slug]
        mean = of_variant.groupby("recall")["precision"].mean()
        colour = colours[variant.method]
        label = f"{decimal(comparison.per_variant(variant.slug, 'noise_ap').mean)}  {variant.marked}"
        axes.plot(
            100 * mean.index, 100 * mean.to_numpy(), color=colour, linewidth=1.8, linestyle=dashes[variant.method],
            marker=markers[variant.method], markersize=5, markevery=(3 + place % 5 * 2, 20), label=label,
        )  # fmt: skip
    if comparison.noise_rate is not None:
        axes.axhline(100 * comparison.noise_rate, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(
            "random order", (99, 100 * comparison.noise_rate - 1.5), color=MUTED, fontsize=9, ha="right", va="top"
        )
    axes.set(
        xlim=(0, 100),
        ylim=(0, 102),
        xlabel="recall: wrong labels found (%)",
        ylabel="precision: inspected examples that are wrong (%)",
    )
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.02, 0.55),
        title="average precision",
        alignment="left",
        labelspacing=0.55,
        handlelength=3.6,
    )
    title = "Precision at each share of the wrong labels found"
    description = (
        "For each plain method, the mean over seeds of the precision among the lowest-scored examples when a given "
        "share of all wrong labels has been found. The legend is ordered by average precision."
    )
    return to_picture(figure, "precision-recall", title, takeaways.of_precision_recall(comparison, plain), description)
