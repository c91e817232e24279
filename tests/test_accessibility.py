"""The page by keyboard, on a phone, in dark mode and for colour-blind readers; axe-core finds nothing serious."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from keyboard import stops
from made_once import synthetic_page
from synthetic_report import report_input
from treated_report import treated_report

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.palette import (
    GRAPHIC,
    TEXT,
    contrast,
    method_colours,
    method_dashes,
    method_markers,
    method_marks,
    readable,
)
from heft.reporting.inputs import MissingCell
from heft.reporting.page import render_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A complete report, one of an unfinished run, and one of three actions."""
    missing = [
        MissingCell(1, "loss", "loss", "score_members: Method loss gave 3 of 600 scores that are not finite"),
        *(MissingCell(seed, "datainf", "datainf", "not run") for seed in range(5)),
    ]
    report = report_input()
    rows = report.comparison
    partial = rows[~((rows["variant"] == "loss") & (rows["seed"] == 1))]
    incomplete = report_input(comparison=partial, missing=missing)
    inputs = {"incomplete": incomplete, "treated": treated_report()}
    folder = tmp_path_factory.mktemp("pages")
    for name, page in inputs.items():
        render_report(page, folder / name)
    complete = synthetic_page(tmp_path_factory) / "index.html"
    return {"complete": complete, **{name: folder / name / "index.html" for name in inputs}}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser.chromium() as opened:
        yield opened


@pytest.fixture
def tab(chromium: Any, pages: dict[str, Path]) -> Iterator[Any]:
    opened = chromium.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened.goto(pages["complete"].as_uri())
    yield opened
    opened.close()


# Each pair of page, scheme and width once: axe takes long on a page of this size.
@pytest.mark.parametrize(
    ("page", "scheme", "width"),
    [
        ("complete", "light", 1280),
        ("complete", "dark", 390),
        ("incomplete", "dark", 1280),
        ("incomplete", "light", 390),
        ("treated", "dark", 1280),
    ],
)
def test_axe_finds_nothing_serious(chromium: Any, pages: dict[str, Path], page: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    opened = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.goto(pages[page].as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    opened.evaluate(script)
    results = opened.evaluate("axe.run(document, {resultTypes: ['violations']})")
    opened.close()
    serious = [
        (violation["id"], node["html"][:200], node["failureSummary"])
        for violation in results["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert serious == []
    assert len(results["passes"]) > 20  # it did look


@pytest.mark.parametrize("page", ["complete", "incomplete", "treated"])
def test_on_a_phone_nothing_scrolls_the_page_sideways_and_what_is_wide_scrolls_in_a_labelled_box_of_its_own(
    chromium: Any, pages: dict[str, Path], page: str
) -> None:
    opened = chromium.new_page(viewport={"width": 390, "height": 800})
    opened.goto(pages[page].as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    opened.wait_for_timeout(100)
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    wide = opened.eval_on_selector_all(
        ".scroll",
        "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth)"
        ".map(box => [box.tabIndex, box.getAttribute('role'), box.getAttribute('aria-label')])",
    )
    opened.close()
    assert len(wide) > 5
    assert all(stop == 0 and role == "group" and label for stop, role, label in wide)


def test_the_tab_key_reaches_every_control_and_its_focus_shows(tab: Any) -> None:
    reached = stops(tab)
    controls = tab.eval_on_selector_all(
        "a[href], button, input, summary, .scroll[tabindex]",
        "all => all.filter(element => element.checkVisibility({visibilityProperty: true})).length",
    )
    assert len(reached) == controls
    assert [stop for stop in reached if stop["outline"] < 2] == []
    assert [stop for stop in reached if stop["bottom"] <= 0 or stop["top"] >= 800 or not stop["width"]] == []
    assert reached[0]["text"] == "Skip to the comparison"
    words = [stop["text"] for stop in reached]
    assert {"Wrong labels", "Right labels", "Download all rows (CSV)", "AUROC", "Configuration"} <= set(words)


def test_tables_sort_and_the_gallery_filters_by_keyboard_alone(tab: Any) -> None:
    tab.focus("#detection-table .heads th:last-child button")
    tab.keyboard.press("Enter")
    values = tab.eval_on_selector_all(
        "#detection-table tbody tr > :last-child", "cells => cells.map(cell => Number(cell.dataset.sort))"
    )
    assert values == sorted(values, reverse=True)
    assert tab.get_attribute("#detection-table .heads th:last-child", "aria-sort") == "descending"
    tab.focus(".filters button[data-show=right]")
    tab.keyboard.press("Space")
    assert tab.get_attribute(".filters button[data-show=right]", "aria-pressed") == "true"
    shown = tab.eval_on_selector_all(
        "#cards > li", "all => all.filter(card => card.checkVisibility()).map(c => c.className)"
    )
    assert set(shown) <= {"right"}
    assert tab.inner_text("#gallery-shown") == f"{len(shown)} of 36 shown"


def test_a_closed_part_opens_by_keyboard(tab: Any) -> None:
    tab.focus("#comparison details summary")
    tab.keyboard.press("Enter")
    assert tab.is_visible("#comparison .glossary dt >> nth=0")


def test_in_the_dark_the_page_is_dark_and_figures_keep_a_light_card(chromium: Any, pages: dict[str, Path]) -> None:
    opened = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    opened.goto(pages["complete"].as_uri())
    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    cards = opened.eval_on_selector_all(
        "figure .scroll", "boxes => boxes.map(box => getComputedStyle(box).backgroundColor)"
    )
    opened.close()
    assert max(int(value) for value in background.removeprefix("rgb(").removesuffix(")").split(",")) < 60
    assert set(cards) == {"rgb(255, 255, 255)"}


def test_colour_is_never_the_only_sign_of_a_method() -> None:
    comparison = Comparison(report_input())
    methods = {variant.method for variant in [*comparison.variants, *comparison.baselines]}
    markers, dashes = method_markers(comparison), method_dashes(comparison)
    marks = method_marks(comparison)
    assert len({markers[name] for name in methods}) == len(methods)
    assert len({marks[name] for name in methods}) == len(methods)
    tested = {variant.method for variant in comparison.compared}
    assert len({(markers[name], str(dashes[name])) for name in tested}) == len(tested)


def test_colours_of_lines_and_words_are_dark_enough_on_white() -> None:
    colours = method_colours(Comparison(report_input()))
    assert len(colours) > 5
    for colour in colours.values():
        assert contrast(colour, "#ffffff") >= GRAPHIC
        assert contrast(readable(colour), "#ffffff") >= TEXT
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
