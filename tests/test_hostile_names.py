"""No name that Heft reads becomes markup or a formula, in a page or a table."""

import csv
from dataclasses import replace
from pathlib import Path

import browser
import pytest
from synthetic_report import report_input, training

from heft.reporting.page import render_report

HOSTILE = [
    "<script>window.hacked = 1</script>",
    '"><img src="x" onerror="window.hacked = 1">',
    "'; window.hacked = 1; //",
    "</script><svg onload=window.hacked=1>",
    "]]></text><script>window.hacked = 1</script>",
    "$\\frac{$",
    "{{ 7 * 191 }}{% raw %}",
    '=HYPERLINK("http://example.org")',
    "\u202egnihton",
    "long " * 100,
]


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose class names, ids, origin and file names are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    examples, shown = training(), report_input()
    named = {old: f"{HOSTILE[k % len(HOSTILE)]}{k}" for k, old in enumerate(examples.examples["id"])}
    examples = replace(
        examples,
        examples=examples.examples.replace({"id": named}),
        scores=examples.scores.replace({"id": named}),
    )
    facts = {"origin": HOSTILE[0], "licence": HOSTILE[1], "files": {HOSTILE[3]: HOSTILE[4]}, "class_names": HOSTILE}
    render_report(replace(shown, training=examples, manifest={**shown.manifest, **facts}), folder)
    return folder


@pytest.mark.slow
def test_hostile_names_run_nothing_in_a_browser_and_are_shown_as_they_are(hostile_page: Path) -> None:
    figures = sorted((hostile_page / "figures").glob("*.svg"))
    assert figures
    with browser.chromium() as opened:
        tab = opened.new_page()
        for file in (hostile_page / "index.html", *figures):
            tab.goto(file.as_uri())
            assert tab.evaluate("typeof window.hacked") == "undefined", file.name
        tab.goto((hostile_page / "index.html").as_uri())
        text = tab.evaluate("document.documentElement.textContent")
        assert tab.locator("img[onerror], svg[onload]").count() == 0
    for name in HOSTILE[:5]:
        assert name in text
    assert "{{ 7 * 191 }}" in text
    assert "1337" not in text


@pytest.mark.slow
def test_no_cell_of_a_table_is_a_formula(hostile_page: Path) -> None:
    for name in ("comparison.csv", "metrics.csv"):
        with (hostile_page / name).open(encoding="utf-8", newline="") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        assert len(cells) > 1000
        for cell in cells:
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), (name, cell)
            assert not cell.startswith("-") or float(cell) <= 0
