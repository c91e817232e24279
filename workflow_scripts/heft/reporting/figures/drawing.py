"""One look for all figures, and SVG of the same bytes for the same input that may stand beside others in a page."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heft.reporting.figures.palette import FAINT, GRID, INK, MUTED


@dataclass(frozen=True)
class Picture:
    """A finished figure.

    name: file stem and HTML id. takeaway: one sentence from the data. description: what is drawn, for those who do
    not see it. svg: without XML header, ready for a page. width: in CSS pixels, below which it scrolls.
    """

    name: str
    title: str
    takeaway: str
    description: str
    svg: str
    width: int


@contextmanager
def style() -> Iterator[None]:
    """seaborn's white grid in Heft's colours; the salt makes ids the same in every process.

    Names are printed as they are, whatever signs they hold; the reader's fonts have glyphs that ours lacks.
    """
    rc: Any = {
        "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,
        "axes.labelcolor": MUTED, "axes.edgecolor": FAINT, "axes.titlesize": 11, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "axes.labelsize": 10, "axes.spines.top": False, "axes.spines.right": False,
        "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelsize": 9, "ytick.labelsize": 9, "grid.color": GRID,
        "axes.axisbelow": True, "legend.frameon": False, "legend.fontsize": 9, "lines.solid_capstyle": "round",
        "svg.hashsalt": "heft", "text.parse_math": False,
    }  # fmt: skip
    with warnings.catch_warnings(), mpl.rc_context(), sns.axes_style("whitegrid"), mpl.rc_context(rc):
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from", category=UserWarning)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches, not known to pyplot."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.03)  # type: ignore[call-arg,union-attr]
    return figure


def percent_axis(axes: Axes, fractions: Sequence[float], label: str) -> None:
    """A logarithmic axis of fractions with a tick at each."""
    axes.set_xscale("log")
    axes.set_xticks(list(fractions), [f"{100 * fraction:.4g}" for fraction in fractions])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(label)
    axes.grid(visible=False, axis="x")


def to_picture(figure: Figure, name: str, title: str, takeaway: str, description: str) -> Picture:
    """Renders a figure without date or version, its ids prefixed by `name` and a title and description for readers."""
    written = io.StringIO()
    empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(written, format="svg", metadata=empty, transparent=True)
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    width, height = (float(inches) * 96 for inches in figure.get_size_inches())
    head = (
        f'<svg viewBox="\\g<1>" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xmlns="http://www.w3.org/2000/svg" version="1.1">\n'
    )
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>\s*', head, svg, count=1, flags=re.DOTALL)
    labels = f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(description)}</desc>\n'
    svg = svg.replace('version="1.1">\n', f'version="1.1">\n {labels}', 1)
    svg = re.sub(r"\n\s+", "\n", svg)
    return Picture(name, title, takeaway, description, svg, round(width))
