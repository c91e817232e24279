"""The figure of what the chosen treatment does class by class."""

from heft.reporting.analysis.classes import ClassChanges
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.palette import INK, REFERENCE_COLOURS, REFERENCE_MARKERS
from heft.reporting.text import takeaways
from heft.reporting.text.actions import share_treated
from heft.reporting.wording import printable, share

MOST_CLASSES = 25
CHOSEN, OTHER = "#0B5A8F", "#AA4499"


# longer: one figure from top to bottom
def draw_classes(found: ClassChanges | None, comparison: Comparison) -> Picture | None:
    """A row for each class: the chosen variant's change with its interval, references as small marks."""
    if found is None:
        return None
    chosen = found.shown[0]
    order = sorted(found.names, key=lambda index: found.changes[chosen.slug, index].mean)
    cut = len(order) > MOST_CLASSES
    shown = order if not cut else order[: MOST_CLASSES // 2] + order[-(MOST_CLASSES - MOST_CLASSES // 2) :]
    figure = new_figure(8.6, 0.36 * len(shown) + 1.3)
    axes = figure.subplots()
    offsets = {one.slug: 0.16 * k for k, one in enumerate(found.shown)}
    for place, one in enumerate(found.shown):
        colour = CHOSEN if place == 0 else REFERENCE_COLOURS.get(one.slug, OTHER)
        marker = "o" if place == 0 else REFERENCE_MARKERS.get(one.slug, "D")
        known = [(row, found.changes[one.slug, index]) for row, index in enumerate(shown)]
        known = [(row, change) for row, change in known if change.n]
        rows = [row - offsets[one.slug] + 0.16 for row, _ in known]
        for row, (_, change) in zip(rows, known, strict=True):
            if place == 0 and change.has_interval:
                axes.plot([100 * change.low, 100 * change.high], [row, row], color=colour, linewidth=2.4)
        axes.plot(
            [100 * change.mean for _, change in known], rows, marker, color=colour, linestyle="none", label=one.marked,
            markersize=7 if place == 0 else 5, markerfacecolor="white" if one.baseline else colour,
        )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(
        range(len(shown)),
        [f"{printable(found.names[index])}  ({100 * found.before[index]:.0f} %)" for index in shown],
        color=INK,
    )
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    part, words = share(found.treatment.fraction), comparison.actions[found.treatment.action]
    axes.set_xlabel(f"change of a class's test accuracy, {part} {words.participle}, against no {words.noun} (points)")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), labelspacing=0.7)
    description = (
        f"A row for each class, in brackets its accuracy with nothing {words.participle}: mean change for the chosen "
        "variant with its 95 % interval paired by seed; smaller marks are references at the same fraction."
        + (f" The {len(shown)} classes with the largest losses and gains." if cut else "")
    )
    changes = [(printable(found.names[index]), found.changes[chosen.slug, index]) for index in order]
    takeaway = takeaways.of_classes(f"{chosen.label} at {share_treated(comparison, found.treatment)}", changes)
    return to_picture(figure, "classes", f"What the {words.noun} does, class by class", takeaway, description)
