"""The index of reports lists every page of the folder with its sentence and picture, by itself and in any place."""

import base64
import re
import shutil
from pathlib import Path
from typing import Any

import browser
import pytest
from report_pages import render_words
from synthetic_report import comparison_rows, report_input
from treated_report import gap_report

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.index import render_index
from heft.reporting.inputs import MissingCell
from heft.reporting.text.verdict import judge
from heft.workflow.results.report_pages import NO_PAGE, UNREADABLE, index_entries


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a finished experiment, of an unfinished one and of another measure, and one that is half there."""
    folder = tmp_path_factory.mktemp("reports")
    render_words(report_input(experiment="mnist"), folder / "mnist")
    rows, cell = comparison_rows(n_seeds=2), MissingCell(1, "loss", "loss", "not run")
    partial = rows[~((rows["variant"] == "loss") & (rows["seed"] == 1))]
    render_words(report_input(experiment="cut", comparison=partial, missing=[cell]), folder / "cut")
    render_words(gap_report(experiment="gap"), folder / "gap")
    (folder / "broken").mkdir()
    (folder / "broken" / "index.html").write_text("<!doctype html><html>")
    return folder


@pytest.fixture(scope="module")
def page(reports: Path) -> str:
    render_index(index_entries(reports, ["mnist", "planned"]), reports / "index.html")
    return (reports / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_each_report_has_its_own_sentence_badge_and_facts(reports: Path) -> None:
    entries = {entry.experiment: entry for entry in index_entries(reports)}
    assert list(entries) == ["broken", "cut", "gap", "mnist"]
    for name, report in (("mnist", report_input()), ("gap", gap_report())):
        verdict = judge(Comparison(report))
        assert entries[name].headline == verdict.headline
        assert (entries[name].badge, entries[name].tone) == (verdict.outcome.value, "good")
        assert entries[name].facts.endswith("600 train, 500 validation, 1,500 test of 5,000 examples · 5 seeds")
        assert entries[name].unfinished == ""
        assert entries[name].picture == (reports / name / "figures" / "answer.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_is_unfinished_is_shown_as_such(reports: Path) -> None:
    entries = {entry.experiment: entry for entry in index_entries(reports, ["planned", "mnist"])}
    assert entries["cut"].unfinished == "Incomplete: 1 of 44 evaluations missing"
    assert entries["cut"].headline
    assert (entries["broken"].unfinished, entries["broken"].link) == (UNREADABLE, "broken/index.html")
    assert (entries["planned"].unfinished, entries["planned"].link) == (NO_PAGE, "")


@pytest.mark.slow
def test_links_are_relative_and_all_else_is_in_the_page(page: str, reports: Path) -> None:
    links = re.findall(r'<a [^>]*href="([^"]+)"', page)
    assert links == [f"{name}/index.html" for name in ("broken", "cut", "gap", "mnist")]
    assert all((reports / link).is_file() for link in links)
    outside = [address for address in re.findall(r'(?:src|href)="([^"]+)"', page) if address not in links]
    assert outside
    assert all(address.startswith("data:") for address in outside)
    pictures = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    assert base64.b64decode(pictures[1]) == (reports / "gap" / "figures" / "answer.svg").read_bytes()
    assert page.count('class="unfinished"') == 3


@pytest.mark.slow
def test_a_picture_that_is_not_whole_is_left_out(reports: Path, tmp_path: Path) -> None:
    shutil.copytree(reports / "mnist", tmp_path / "mnist")
    picture = tmp_path / "mnist" / "figures" / "answer.svg"
    picture.write_text(picture.read_text(encoding="utf-8")[:500], encoding="utf-8")
    (entry,) = index_entries(tmp_path)
    assert (entry.picture, entry.headline != "") == ("", True)
    picture.unlink()
    assert index_entries(tmp_path)[0].picture == ""


@pytest.mark.slow
def test_names_of_experiments_and_sentences_are_words_not_markup(tmp_path: Path) -> None:
    report = report_input(experiment="x")
    render_words(report, tmp_path / "x")
    file = tmp_path / "x" / "index.html"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('<h1 id="headline">', '<h1 id="headline">&lt;script&gt; '), encoding="utf-8")
    render_index(index_entries(tmp_path), tmp_path / "index.html")
    assert "&lt;script&gt; Removing" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_without_a_report_the_index_says_so(tmp_path: Path) -> None:
    render_index(index_entries(tmp_path), tmp_path / "index.html")
    assert "There is no report yet." in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_index_never_scrolls_sideways_and_axe_finds_nothing_serious(
    page: str, reports: Path, width: int, scheme: Any
) -> None:
    with browser.chromium() as opened:
        tab = opened.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        tab.goto((reports / "index.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        sizes = tab.eval_on_selector_all("img", "all => all.map(element => element.getBoundingClientRect().height)")
        assert len(sizes) == 3
        assert min(sizes) > 150
        assert browser.serious_violations(tab) == []
