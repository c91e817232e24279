"""The page says what of the data was skipped and why, and its copy that may be shared names none of it."""

from dataclasses import replace
from pathlib import Path

from report_pages import render_words
from synthetic_report import report_input

from heft.reporting.tables.left_out import MOST_LINES, left_out_of

SKIPPED = [
    {"id": "cat/a\nb.png", "reason": "the file is empty"},
    {"id": "cat/<b>.jpg", "reason": "it is a link to nothing"},
    {"id": "dog/c.png", "reason": "the file is empty"},
]
NOTES = ["Left out: 1 file is no picture (cat/Thumbs.db)."]


def test_nothing_is_said_where_all_data_were_taken_as_they_are(tmp_path: Path) -> None:
    assert left_out_of({"skipped": [], "notes": []}) is None
    assert "left out of the data" not in render_words(report_input(), tmp_path)


def test_the_page_counts_reasons_and_names_each_file_and_the_copy_names_none(tmp_path: Path) -> None:
    report = report_input()
    manifest = {**report.manifest, "personal": True, "skipped": SKIPPED, "notes": NOTES}
    page = render_words(replace(report, manifest=manifest), tmp_path, shared=tmp_path / "shared.html")
    copy = (tmp_path / "shared.html").read_text(encoding="utf-8")
    said = "3 examples were skipped: 2 because the file is empty; 1 because it is a link to nothing."
    assert page.count(said) == copy.count(said) == 1
    names = ("cat/a\\nb.png", "cat/&lt;b&gt;.jpg", "dog/c.png", "Thumbs.db")
    assert [page.count(name) > 0 for name in names] == [True] * 4
    assert [copy.count(name) for name in names] == [0] * 4
    assert page.count("3 examples of the data could not be read and take no part") == 1


def test_of_many_the_first_are_listed_and_the_rest_counted() -> None:
    skipped = [{"id": f"{number:04d}.png", "reason": f"reason {number % 7}"} for number in range(1000)]
    left_out = left_out_of({"skipped": skipped})
    assert left_out is not None
    assert left_out.table is not None
    assert len(left_out.table.lines) == MOST_LINES
    assert left_out.table.footnotes == ("800 more stand in manifest.json of the data.",)
    assert left_out.reasons.endswith("; 285 for other reasons")
