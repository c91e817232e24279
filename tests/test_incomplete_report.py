"""What a failed run leaves: a page that says what is missing and why, and never looks finished to Snakemake."""

from pathlib import Path
from typing import Any

import pytest
from report_pages import render_words
from synthetic_report import comparison_rows, report_input
from unfinished import SENTENCE, without

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import MissingCell
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.text.verdict import judge


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("incomplete")
    missing = [
        MissingCell(1, "loss", "loss", SENTENCE),
        *(MissingCell(seed, "margin", "margin", "train: <b>killed</b>") for seed in range(5)),
        *(MissingCell(seed, "el2n", "el2n", "train: <b>killed</b>") for seed in range(5)),
    ]
    rows = comparison_rows()
    rows = rows[~rows["variant"].isin(["margin", "el2n"])]
    return render_words(report_input(comparison=without(rows, ("loss", 1)), missing=missing), folder)


def test_the_top_says_that_it_is_incomplete_and_what_is_missing_before_the_answer(page: str) -> None:
    assert "Incomplete: 11 of 110 evaluations missing" in page
    assert page.index('class="incomplete"') < page.index('id="headline"')
    assert SENTENCE in page


def test_variants_that_lack_the_same_seeds_for_the_same_reason_share_a_line_and_words_are_escaped(page: str) -> None:
    table = page[page.index('id="missing-table"') : page.index('id="headline"')]
    assert table.count('<th scope="row"') == 2
    assert "train: &lt;b&gt;killed&lt;/b&gt;" in table
    assert "0, 1, 2, 3 and 4" in table
    assert "el2n and margin" in table


def test_a_complete_report_says_nothing_of_missing_ones(tmp_path: Path) -> None:
    page = render_words(report_input(), tmp_path)
    assert "Incomplete" not in page


def test_missing_cells_are_marked_in_the_comparison() -> None:
    missing = [MissingCell(1, "loss", "loss", "x"), MissingCell(0, "margin", "margin", "not run")]
    rows = comparison_rows()
    rows = without(rows[rows["variant"] != "margin"], ("loss", 1))
    comparison = Comparison(report_input(comparison=rows, missing=missing))
    lines = {line.words.split()[0]: line for line in comparison_table(comparison, judge(comparison)).lines}
    assert lines["loss"].cells[0].note == "without seed 1"
    assert lines["margin"].cells[0].note == "missing"
    assert {cell.sort for cell in lines["margin"].cells[1:]} == {None}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kept",
    [lambda rows: rows[rows["seed"] == 3], lambda rows: rows[rows["variant"].isin(["none", "loss"])]],
    ids=["one seed alone", "none and one variant"],
)
def test_little_is_enough_for_a_page(kept: Any, tmp_path: Path) -> None:
    page = render_words(
        report_input(comparison=kept(comparison_rows()), missing=[MissingCell(0, "ip", "ip", "x")]), tmp_path
    )
    assert 'id="headline"' in page
