"""Colours and marks that stay apart for colour-blind readers, and are dark enough on white.

Colour is never the only sign: each method has a marker and a line style too, in every figure the same.
"""

from collections.abc import Sequence
from typing import Any

from heft.reporting.analysis.comparison import Comparison

INK, MUTED, FAINT, GRID = "#1c2430", "#55636f", "#c3cad3", "#e7ebef"
GRAPHIC, TEXT = 3.0, 4.5  # least contrast to the background, as WCAG 2.2 asks of graphics and of text
# Okabe and Ito's and Tol's colours.
METHOD_COLOURS = [
    "#D55E00", "#0072B2", "#009E73", "#AA4499", "#C28E0E", "#332288", "#4AA3DF", "#882255", "#117733", "#7A7A00",
    "#E78AC3", "#44AA99",
]  # fmt: skip
MARKERS = ["o", "s", "D", "^", "v", "P", "X", "p", "h", "<", ">", "d", "H"]
CHARACTERS = {
    "o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼", "P": "✚", "X": "✖", "p": "⬟", "h": "⬢", "<": "◀", ">": "▶",
    "d": "♦", "H": "⬣", "8": "◉", "_": "–", "x": "×", "*": "★",
}  # fmt: skip
DASHES: Sequence[Any] = ["-", (0, (5, 1.6)), (0, (1.4, 1.2)), (0, (6, 1.5, 1.4, 1.5)), (0, (3, 1, 1, 1, 1, 1))]
BASELINE_COLOUR, BASELINE_MARKER = "#6F4518", "8"  # drawn hollow
REFERENCE_COLOURS = {"none": INK, "random": "#66727f", "oracle": INK}
REFERENCE_MARKERS = {"none": "_", "random": "x", "oracle": "*"}
REFERENCE_DASHES: dict[str, Any] = {"none": (0, (4, 3)), "random": (0, (1, 1.5)), "oracle": "-"}


def method_colours(comparison: Comparison) -> dict[str, str]:
    """Method or baseline -> colour of lines and marks; more methods than colours begin anew."""
    names = _names(comparison)
    chosen = {name: readable(METHOD_COLOURS[k % len(METHOD_COLOURS)], GRAPHIC) for k, name in enumerate(names)}
    return REFERENCE_COLOURS | dict.fromkeys(_baselines(comparison), BASELINE_COLOUR) | chosen


def method_markers(comparison: Comparison) -> dict[str, str]:
    """Method or baseline -> marker."""
    own = {name: MARKERS[k % len(MARKERS)] for k, name in enumerate(_names(comparison))}
    return REFERENCE_MARKERS | dict.fromkeys(_baselines(comparison), BASELINE_MARKER) | own


def method_dashes(comparison: Comparison) -> dict[str, Any]:
    """Method -> line style."""
    return REFERENCE_DASHES | {name: DASHES[k % len(DASHES)] for k, name in enumerate(_names(comparison))}


def method_marks(comparison: Comparison) -> dict[str, str]:
    """Method or baseline -> the marker as a character, for tables."""
    return {name: CHARACTERS[marker] for name, marker in method_markers(comparison).items()}


def readable(colour: str, ratio: float = TEXT, background: str = "#ffffff") -> str:
    """The colour, darkened where its contrast to the background is below `ratio`."""
    channels = _channels(colour)
    while contrast(_hexadecimal(channels), background) < ratio:
        channels = [0.97 * channel for channel in channels]
    return _hexadecimal(channels)


def contrast(colour: str, other: str) -> float:
    """WCAG's contrast of two colours, 1 to 21."""
    light, dark = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _names(comparison: Comparison) -> list[str]:
    return sorted({variant.method for variant in comparison.compared})


def _baselines(comparison: Comparison) -> list[str]:
    return [variant.method for variant in comparison.baselines]


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _channels(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def _hexadecimal(channels: list[float]) -> str:
    return "#" + "".join(f"{int(255 * channel):02x}" for channel in channels)
