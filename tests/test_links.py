"""Files that the project's pages link to exist, and each page on adding something is linked."""

import re
from pathlib import Path

import pytest
from workspace import ROOT

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")


def linked(page: Path) -> set[str]:
    """Relative links of a page, without what stands behind #."""
    links = {link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))}
    return {link for link in links if link and not link.startswith(("http://", "https://"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_points_to_a_file(page: Path) -> None:
    assert sorted(link for link in linked(page) if not (page.parent / link).exists()) == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_page_on_adding_something_is_linked(page: str) -> None:
    pages = {f"docs/{file.name}" for file in (ROOT / "docs").glob("add_*.md")}
    assert len(pages) > 5
    assert pages <= linked(ROOT / page)
