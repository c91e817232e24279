"""The figure of every variant against the same treatment of random examples."""

import seaborn as sns

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import MARK
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.lines import draw_difference
from heft.reporting.figures.palette import INK, method_colours, method_markers
from heft.reporting.text import takeaways
from heft.reporting.text.actions import at_random
from heft.reporting.text.verdict import Verdict
from heft.reporting.wording import share


def draw_over_random(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Every variant's difference to random under the headline's treatment, with its interval and each seed."""
    if verdict.choice is None or verdict.over_random is None or not verdict.over_random.n:
        return None
    treatment, measure = verdict.choice.treatment, comparison.measure
    everything = [*comparison.variants, *comparison.baselines]
    differences = [(variant, comparison.over_random(variant.slug, treatment)) for variant in everything]
    shown = [(variant, difference) for variant, difference in differences if variant.slug != "random" and difference.n]
    shown.sort(key=lambda row: row[1].mean)
    figure = new_figure(8.6, 0.33 * len(shown) + 1.0)
    axes = figure.subplots()
    colours, markers = method_colours(comparison), method_markers(comparison)
    for height, (variant, difference) in enumerate(shown):
        colour = colours[variant.method]
        values = [measure.scale * value for value in difference.values.values()]
        sns.scatterplot(
            x=values, y=[height - 0.27] * len(values), ax=axes, color=colour, s=14, alpha=0.5, linewidth=0, legend=False
        )
        written, marker = measure.gain(difference.mean), markers[variant.method]
        draw_difference(axes, height, difference, written, colour, marker, scale=measure.scale, hollow=variant.baseline)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown)), [variant.marked for variant, _ in shown], color=INK)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    part, words = share(treatment.fraction), comparison.actions[treatment.action]
    axes.set_xlabel(measure.gain_axis(f"{measure.difference_to} {at_random(words, treatment.fraction)}"))
    title = f"Each variant against random {words.noun}, at {part}"
    marked = any(variant.trains_on_validation for variant, _ in shown)
    description = (
        f"A row for each variant: mean {measure.difference_to} random {words.noun} (large mark), its 95 % interval "
        "paired by seed (bar) and each seed's difference (small dots)."
        + (f" Hollow marks are other trainings, which {words.verb} nothing." if comparison.baselines else "")
        + (f" {MARK} trained on validation labels." if marked else "")
    )
    return to_picture(figure, "over-random", title, takeaways.of_over_random(comparison, treatment), description)
