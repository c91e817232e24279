"""Reads back what the reports of a folder say, for their index: the page is the only source of its sentence."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from heft.reporting.index import IndexEntry

NO_PAGE = "No report: the run did not get that far."
UNREADABLE = "Its page cannot be read; run the experiment again."
SVG = "{http://www.w3.org/2000/svg}"
# What is read of a page: the id or the class of its element.
MARKS = ("facts", "incomplete-heading", "badge", "headline")
END = "</h1>"  # behind all of them
VOID = {"meta", "link", "br", "img", "input"}


def index_entries(folder: Path, planned: Iterable[str] = ()) -> list[IndexEntry]:
    """An entry for each report of the folder, and for each planned experiment that has none, by name."""
    pages = {file.parent.name: file for file in folder.glob("*/index.html")}
    return [_entry(name, pages.get(name)) for name in sorted({*pages, *planned})]


def _entry(name: str, page: Path | None) -> IndexEntry:
    if page is None:
        return IndexEntry(name, "", "", unfinished=NO_PAGE)
    said = _Texts()
    said.feed(page.read_text(encoding="utf-8", errors="replace").partition(END)[0] + END)
    if not said.texts["headline"]:
        return IndexEntry(name, f"{name}/index.html", "", unfinished=UNREADABLE)
    picture, alt = _picture(page.parent / "figures" / "answer.svg")
    return IndexEntry(
        experiment=name,
        link=f"{name}/index.html",
        headline=said.texts["headline"],
        badge=said.texts["badge"],
        tone=said.tone,
        facts=said.texts["facts"],
        unfinished=said.texts["incomplete-heading"],
        picture=picture,
        alt=alt,
    )


def _picture(file: Path) -> tuple[str, str]:
    """The SVG and its description; two empty texts where it is not there or not whole."""
    try:
        svg = file.read_text(encoding="utf-8")
        drawn = ElementTree.fromstring(svg)
    except (OSError, UnicodeDecodeError, ElementTree.ParseError):
        return "", ""
    said = (drawn.findtext(f"{SVG}{part}") or "" for part in ("title", "desc"))
    return svg, ". ".join(part for part in said if part)


class _Texts(HTMLParser):
    """Collects the text of the first element of each mark; what is hidden from a reader's ears is left out.

    tone: the further class of the badge.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts, self.tone = dict.fromkeys(MARKS, ""), "unclear"
        self._open: list[str] = []  # of each element that is open: its mark, "hidden" or ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        marks = [mark for mark in MARKS if mark == given.get("id") or mark in classes]
        if "badge" in marks and len(classes) > 1:
            self.tone = classes[1]
        mark = marks[0] if marks and not self.texts[marks[0]] else ""
        self._open.append("hidden" if given.get("aria-hidden") == "true" else mark)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            mark = self._open.pop()
            if mark in self.texts:
                self.texts[mark] = re.sub("[ \n]+", " ", self.texts[mark]).strip()

    def handle_data(self, data: str) -> None:
        if "hidden" in self._open:
            return
        for mark in self._open:
            if mark:
                self.texts[mark] += data
