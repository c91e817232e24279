"""The figure of what the chosen treatment does class by class."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from heft.reporting.analysis.classes import ClassChanges
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.drawing import Picture, new_figure, to_picture
from heft.reporting.figures.palette import INK, REFERENCE_COLOURS, REFERENCE_MARKERS
from heft.reporting.text import takeaways
from heft.reporting.text.actions import share_treated
from heft.reporting.wording import printable, share

MOST_CLASSES = 25
CHOSEN, OTHER = "#0B5A8F", "#AA4499"
STEP = 0.16  # of a row, between the marks of two variants


def draw_classes(classes: ClassChanges | None, comparison: Comparison) -> Picture | None:
    """A row for each class: the chosen variant's change with its interval, references as small marks."""
    if classes is None:
        return None
    chosen = classes.shown[0]
    order = sorted(classes.names, key=lambda index: classes.changes[chosen.slug, index].mean)
    cut = len(order) > MOST_CLASSES
    shown = order if not cut else order[: MOST_CLASSES // 2] + order[-(MOST_CLASSES - MOST_CLASSES // 2) :]
    figure = new_figure(8.6, 0.36 * len(shown) + 1.3)
    axes = figure.subplots()
    for place in range(len(classes.shown)):
        _draw_variant(axes, classes, place, shown)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(
        range(len(shown)),
        [f"{printable(classes.names[index])}  ({100 * classes.before[index]:.0f} %)" for index in shown],
        color=INK,
    )
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    part, words = share(classes.treatment.fraction), comparison.actions[classes.treatment.action]
    axes.set_xlabel(f"change of a class's test accuracy, {part} {words.participle}, against no {words.noun} (points)")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), labelspacing=0.7)
    description = (
        f"A row for each class, in brackets its accuracy with nothing {words.participle}: mean change for the chosen "
        "variant with its 95 % interval paired by seed; smaller marks are references at the same fraction."
        + (f" The {len(shown)} classes with the largest losses and gains." if cut else "")
    )
    changes = [(printable(classes.names[index]), classes.changes[chosen.slug, index]) for index in order]
    takeaway = takeaways.of_classes(f"{chosen.label} at {share_treated(comparison, classes.treatment)}", changes)
    return to_picture(figure, "classes", f"What the {words.noun} does, class by class", takeaway, description)


def _draw_variant(axes: Axes, classes: ClassChanges, place: int, shown: Sequence[int]) -> None:
    """The marks of one variant, the chosen one at place 0; `shown` are the indices of the classes, from below."""
    variant, chosen = classes.shown[place], place == 0
    colour = CHOSEN if chosen else REFERENCE_COLOURS.get(variant.slug, OTHER)
    marker = "o" if chosen else REFERENCE_MARKERS.get(variant.slug, "D")
    changes = [(row, classes.changes[variant.slug, index]) for row, index in enumerate(shown)]
    known = [(row - STEP * place + STEP, change) for row, change in changes if change.n]
    if chosen:
        for height, change in known:
            if change.has_interval:
                axes.plot([100 * change.low, 100 * change.high], [height, height], color=colour, linewidth=2.4)
    axes.plot(
        [100 * change.mean for _, change in known], [height for height, _ in known], marker, color=colour,
        linestyle="none", label=variant.marked, markersize=7 if chosen else 5,
        markerfacecolor="white" if variant.baseline else colour,
    )  # fmt: skip
