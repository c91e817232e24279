"""The page works in a browser: sorting, searching, saving, sizes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from made_once import synthetic_page
from report_pages import FIGURES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_page(tmp_path_factory)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser.chromium() as opened:
        yield opened


@pytest.fixture
def opened(chromium: Any, folder: Path) -> Iterator[Any]:
    """The page at 1280 x 800; fails where the console complains or anything outside is asked for."""
    tab = chromium.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url))
    tab.goto((folder / "index.html").as_uri())
    yield tab
    tab.close()
    assert complaints == []


def column_of(tab: Any, column: int) -> list[str]:
    return tab.eval_on_selector_all(
        f"#comparison-table tbody tr:not([hidden]) > :nth-child({column})",
        "cells => cells.map(cell => cell.dataset.sort)",
    )


def test_the_table_sorts_both_ways_by_click_and_by_key(opened: Any):
    head = opened.locator("#comparison-table thead tr:last-child th:nth-child(3)")
    head.locator("button").click()
    assert column_of(opened, 3)[-1] == ""  # the baseline has none, and stands last either way
    values = [float(value) for value in column_of(opened, 3)[:-1]]
    assert head.get_attribute("aria-sort") == "descending"
    assert values == sorted(values, reverse=True)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert [float(value) for value in column_of(opened, 3)[:-1]] == sorted(values)
    opened.locator("#comparison-table thead tr:last-child th:nth-child(1) button").click()
    names = column_of(opened, 1)
    assert names == sorted(names)


def test_the_search_shows_the_lines_that_hold_all_words(opened: Any):
    opened.fill("#search", "ip drop")
    assert column_of(opened, 2) == ["5", "10", "20"]
    assert opened.inner_text("#shown") == "3 of 21 shown"
    opened.fill("#search", "")
    assert len(column_of(opened, 2)) == 21


def test_the_table_can_be_saved_from_the_page_alone(opened: Any, folder: Path):
    with opened.expect_download() as saving:
        opened.click("#download")
    assert Path(saving.value.path()).read_bytes() == (folder / "comparison.csv").read_bytes()


def test_every_figure_is_on_the_page_with_a_size(opened: Any):
    sizes = opened.eval_on_selector_all(
        "figure svg[role=img]",
        "all => all.map(svg => [svg.getBoundingClientRect().width, svg.getBoundingClientRect().height])",
    )
    assert len(sizes) == len(FIGURES)
    assert all(width > 250 and height > 150 for width, height in sizes)


def test_the_first_screen_holds_the_answer_and_its_picture(opened: Any):
    for selector in ("#headline", ".evidence", "#answer svg", ".cards"):
        box = opened.locator(selector).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_page_never_scrolls_sideways(opened: Any, width: int):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_at_1280_the_comparison_shows_its_cost_without_scrolling(opened: Any):
    box = opened.locator("div:has(> #comparison-table)")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
