"""Names beside lines and points, placed so that they do not overlap."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heft.reporting.figures.palette import readable

# Where a name may stand beside its point, in points, the nearest first.
PLACES = [
    (sign * across, up)
    for up in (0, 9, -9, 18, -18, 27, -27, 36, -36, 48, -48)
    for sign in (1, -1)
    for across in (9, 20)
]


def spread_labels(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions moved apart so that neighbours are at least `gap` from each other, within low..high where they fit."""
    order = sorted(range(len(positions)), key=lambda k: positions[k])
    placed = [positions[k] for k in order]
    for _ in range(200):
        for k in range(len(placed) - 1):
            overlap = gap - (placed[k + 1] - placed[k])
            if overlap > 1e-9:
                placed[k], placed[k + 1] = placed[k] - overlap / 2, placed[k + 1] + overlap / 2
        if placed and placed[0] < low:
            placed = [position + low - placed[0] if k == 0 else position for k, position in enumerate(placed)]
        if placed and placed[-1] > high:
            placed[-1] = high
    return [position for _, position in sorted(zip(order, placed, strict=True))]


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.075, **text: Any) -> None:
    """Writes (y, label, colour) at the right edge, moved apart where they would overlap, tied to the edge by a line."""
    low, high = axes.get_ylim()
    heights = [(y - low) / (high - low) for y, _, _ in ends]
    for height, place, (_, label, colour) in zip(heights, spread_labels(heights, gap, 0, 1.02), ends, strict=True):
        axes.annotate(
            label, (1.0, height), (1.035, place), "axes fraction", "axes fraction", color=readable(colour), va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.7, "alpha": 0.6, "shrinkA": 1, "shrinkB": 2},
            **({"fontsize": 9} | text),
        )  # fmt: skip


def label_points(
    figure: Figure,
    axes: Axes,
    points: Sequence[tuple[float, float, str, str]],
    unnamed: Sequence[tuple[float, float]] = (),
) -> None:
    """Writes (x, y, label, colour) beside the points, each at the nearest place that is still free, or the freest."""
    size = 8.0
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    pixels = [tuple(axes.transData.transform((x, y)).tolist()) for x, y, _, _ in points]
    marks = [*pixels, *(tuple(axes.transData.transform(place).tolist()) for place in unnamed)]
    taken = [(x - 5 * scale, y - 5 * scale, x + 5 * scale, y + 5 * scale) for x, y in marks]
    bounds = axes.bbox.extents
    for (x, y), (_, _, label, colour) in sorted(zip(pixels, points, strict=True), key=lambda pair: pair[0]):
        width, height = 0.64 * size * len(label) * scale, 1.25 * size * scale
        boxes = [_box(x, y, width, height, dx * scale, dy * scale) for dx, dy in PLACES]
        chosen = min(boxes, key=lambda box: _crowding(box, taken, bounds))
        taken.append(chosen)
        to_axes = axes.transAxes.inverted().transform
        place = tuple(to_axes((chosen[0], (chosen[1] + chosen[3]) / 2)).tolist())
        axes.annotate(
            label, tuple(to_axes((x, y)).tolist()), place, "axes fraction", "axes fraction",
            color=readable(colour), fontsize=size, va="center", ha="left",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.5, "alpha": 0.6, "shrinkA": 0, "shrinkB": 4},
        )  # fmt: skip


def _box(x: float, y: float, width: float, height: float, dx: float, dy: float) -> tuple[float, float, float, float]:
    left = x + dx if dx > 0 else x + dx - width
    return left, y + dy - height / 2, left + width, y + dy + height / 2


def _crowding(box: tuple[float, ...], taken: Sequence[tuple[float, ...]], bounds: Sequence[float]) -> float:
    """Area that a box shares with others or has outside the bounds; 0 where it is free."""
    outside = (box[2] - box[0]) * (box[3] - box[1]) - _shared(box, bounds)
    return outside + sum(_shared(box, other) for other in taken)


def _shared(box: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes (left, bottom, right, top) have in common."""
    width, height = (min(box[k + 2], other[k + 2]) - max(box[k], other[k]) for k in (0, 1))
    return max(0.0, width) * max(0.0, height)
