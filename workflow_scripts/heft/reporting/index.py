"""Writes the index of reports: one self-contained page with each experiment's sentence and picture."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heft.artifacts import write_text
from heft.reporting.templating import filled


@dataclass(frozen=True)
class IndexEntry:
    """What the index shows of one experiment.

    link: its page, relative to the index; empty where there is none. headline: the page's first sentence. badge, tone:
    what the page says of the outcome, and its colour. facts: data and seeds in a line. unfinished: what is missing, in
    words; empty where nothing is. picture: an SVG; empty where there is none. alt: the picture in words.
    """

    experiment: str
    link: str
    headline: str
    badge: str = ""
    tone: str = "unclear"
    facts: str = ""
    unfinished: str = ""
    picture: str = ""
    alt: str = ""

    @property
    def source(self) -> str:
        """The picture as a data URI: in a document of its own, its ids meet no others."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.picture.encode()).decode()


def render_index(entries: Sequence[IndexEntry], file: str | Path) -> None:
    """Writes the page; the same entries give the same bytes."""
    write_text(file, filled("index.html.j2", entries=entries))
