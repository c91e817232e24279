"""The picture of the answer: the chosen variant against the fraction, beside random, oracle and other trainings."""

from math import isfinite

from matplotlib.axes import Axes

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Choice
from heft.reporting.analysis.variant import MARK, ReportedVariant
from heft.reporting.figures.drawing import Picture, new_figure, percent_axis, to_picture
from heft.reporting.figures.labels import label_ends
from heft.reporting.figures.lines import draw_gain, draw_others, drawn, last_gain
from heft.reporting.figures.palette import DASHES, FAINT, INK, REFERENCE_DASHES, method_colours
from heft.reporting.text.actions import opening
from heft.reporting.text.verdict import Verdict
from heft.reporting.treatment import UNTREATED
from heft.reporting.wording import share

End = tuple[float, str, str]  # height, words, colour of a line's right end


def draw_answer(comparison: Comparison, verdict: Verdict) -> Picture | None:
    """The first screen's picture: the variant named in the headline, random and oracle, against the untreated model."""
    choice = verdict.choice
    if choice is None:
        return None
    figure, measure = new_figure(6.4, 4.3), comparison.measure
    axes = figure.subplots()
    words = comparison.actions[choice.treatment.action]
    before = measure.scale * float(comparison.untreated.mean())
    ends = _draw_lines(axes, comparison, choice, before)
    participle = comparison.any_action.participle
    percent_axis(axes, comparison.fractions, f"lowest-scored examples {participle} (%)")
    axes.axvline(choice.treatment.fraction, color=FAINT, linewidth=8, alpha=0.35, zorder=0)
    axes.set_ylabel(measure.axis)
    label_ends(axes, [end for end in ends if isfinite(end[0])], fontsize=10, fontweight="bold")
    title = f"{opening(measure.title)} against the share of training examples {participle}"
    description = (
        f"Lines for {choice.variant.label}, random {words.noun} and the oracle, and a level for the model without "
        f"{words.noun}."
    )
    if comparison.several:
        description += f" Broken lines: {choice.variant.label} under the other actions."
    return to_picture(figure, "answer", title, _caption(comparison, choice), description)


def _draw_lines(axes: Axes, comparison: Comparison, choice: Choice, before: float) -> list[End]:
    """Draws all lines; returns what is to be written at their right ends."""
    variant, action, colours = choice.variant, choice.treatment.action, method_colours(comparison)
    draw_others(axes, comparison, _others(comparison, choice), action, before=before, linewidth=1.2)
    axes.axhline(before, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    ends = [(before, f"nothing {comparison.any_action.participle}", INK)]
    for slug in ("random", "oracle", variant.slug):
        shown = comparison.find(slug)
        if shown is None:
            continue
        colour, strong = colours[shown.method], slug == variant.slug
        dashes, width = REFERENCE_DASHES.get(slug, "-"), 3 if strong else 1.6
        draw_gain(axes, comparison, shown, action, colour, before=before, linestyle=dashes, linewidth=width, band=True)
        name = {"random": "random", "oracle": "oracle (true labels)"}.get(slug, variant.label)
        if strong and comparison.several:
            name = f"{name}, {comparison.actions[action].participle}"
        ends.append((drawn(comparison, last_gain(comparison, shown, action), before), name, colour))
    colour, further = colours[variant.method], [slug for slug in comparison.actions if slug != action]
    for place, other in enumerate(further, start=1):
        dashes = DASHES[place % len(DASHES)]
        draw_gain(axes, comparison, variant, other, colour, before=before, linestyle=dashes, linewidth=1.6)
        level = drawn(comparison, last_gain(comparison, variant, other), before)
        ends.append((level, comparison.actions[other].participle, colour))
    for baseline in comparison.baselines:
        reached = drawn(comparison, comparison.gain(baseline.slug, UNTREATED).mean, before)
        axes.axhline(reached, color=colours[baseline.method], linewidth=1.4, linestyle=(0, (6, 1.5, 1.4, 1.5)))
        ends.append((reached, baseline.marked, colours[baseline.method]))
    return ends


def _others(comparison: Comparison, choice: Choice) -> list[ReportedVariant]:
    """The plain methods under test that are not the choice."""
    return [variant for variant in comparison.compared if variant.plain and variant.slug != choice.variant.slug]


def _caption(comparison: Comparison, choice: Choice) -> str:
    words = comparison.actions[choice.treatment.action]
    under = f", {words.participle}" if comparison.several else ""
    parts = [f"Shaded: {share(choice.treatment.fraction)}"]
    parts += [f"grey lines: the other plain methods{under}"] if _others(comparison, choice) else []
    parts += [f"broken lines: {choice.variant.label} under the other actions"] if comparison.several else []
    if len(comparison.seeds) > 1:
        parts += [f"bands: 95 % intervals of the paired difference to no {words.noun}"]
    if any(baseline.trains_on_validation for baseline in comparison.baselines):
        parts += [f"{MARK} nothing {comparison.any_action.participle}, trained on validation labels"]
    return "; ".join(parts) + "."
