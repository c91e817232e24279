"""Figures of the answer: the chosen variant against the fraction removed, and every variant against random."""

from math import isfinite

import seaborn as sns

from heft.reporting.analysis.comparison import ACCURACY, Comparison
from heft.reporting.analysis.variant import MARK
from heft.reporting.figures.drawing import Picture, new_figure, percent_axis, to_picture
from heft.reporting.figures.labels import label_ends
from heft.reporting.figures.lines import draw_difference, draw_gain, draw_others, last_gain
from heft.reporting.figures.palette import FAINT, INK, REFERENCE_DASHES, method_colours, method_markers
from heft.reporting.text import takeaways
from heft.reporting.text.verdict import Verdict
from heft.reporting.wording import points, share


def draw_answer(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """The first screen's picture: the variant named in the headline, random and oracle, against no removal."""
    if verdict.choice is None:
        return None
    variant, fraction = verdict.choice.variant, verdict.choice.fraction
    figure = new_figure(6.4, 4.3)
    axes = figure.subplots()
    colours, before = method_colours(comparison), 100 * float(comparison.unpruned[ACCURACY].mean())
    others = [one for one in comparison.compared if one.plain and one.slug != variant.slug]
    draw_others(axes, comparison, others, offset=before, linewidth=1.2)
    axes.axhline(before, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    ends = [(before, "nothing removed", INK)]
    for slug in ("random", "oracle", variant.slug):
        shown = comparison.find(slug)
        if shown is None:
            continue
        colour, strong = colours[shown.method], slug == variant.slug
        draw_gain(
            axes,
            comparison,
            shown,
            colour,
            offset=before,
            linestyle=REFERENCE_DASHES.get(slug, "-"),
            linewidth=3 if strong else 1.6,
            band=True,
        )
        name = {"random": "random", "oracle": "oracle (true labels)"}.get(slug, variant.label)
        ends.append((before + last_gain(comparison, shown), name, colour))
    for baseline in comparison.baselines:
        reached = before + 100 * comparison.gain(baseline.slug, 0.0).mean
        axes.axhline(reached, color=colours[baseline.method], linewidth=1.4, linestyle=(0, (6, 1.5, 1.4, 1.5)))
        ends.append((reached, baseline.marked, colours[baseline.method]))
    ends = [end for end in ends if isfinite(end[0])]
    percent_axis(axes, comparison.fractions)
    axes.axvline(fraction, color=FAINT, linewidth=8, alpha=0.35, zorder=0)
    axes.set_ylabel("test accuracy (%)")
    label_ends(axes, ends, fontsize=10, fontweight="bold")
    title = "Test accuracy against the share of training examples removed"
    parts = [f"Shaded: {share(fraction)}"] + (["grey lines: the other plain methods"] if others else [])
    parts += ["bands: 95 % intervals of the paired difference to no removal"] if len(comparison.seeds) > 1 else []
    if any(one.trains_on_validation for one in comparison.baselines):
        parts += [f"{MARK} nothing removed, trained on validation labels"]
    takeaway = "; ".join(parts) + "."
    description = (
        f"Lines for {variant.label}, random removal and the oracle, and a level for the model without removal."
    )
    return to_picture(figure, "answer", title, takeaway, description)


def draw_over_random(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """Every variant's difference to random removal at the headline's fraction, with its interval and each seed."""
    if verdict.choice is None or verdict.over_random is None or not verdict.over_random.n:
        return None
    fraction = verdict.choice.fraction
    everything = [*comparison.variants, *comparison.baselines]
    shown = [(variant, comparison.over_random(variant.slug, fraction)) for variant in everything]
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
        written, marker = points(difference.mean), markers[variant.method]
        draw_difference(axes, height, difference, written, colour, marker, hollow=variant.baseline)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown)), [variant.marked for variant, _ in shown], color=INK)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    part = share(fraction)
    axes.set_xlabel(f"difference of test accuracy to removing a random {part} (points)")
    title = f"Each variant against random removal, at {part}"
    description = (
        "A row for each variant: mean difference of test accuracy to random removal (large mark), its 95 % interval "
        "paired by seed (bar) and each seed's difference (small dots)."
        + (" Hollow marks remove nothing." if comparison.baselines else "")
        + (f" {MARK} trained on validation labels." if any(one.trains_on_validation for one, _ in shown) else "")
    )
    return to_picture(figure, "over-random", title, takeaways.of_over_random(comparison, fraction), description)
