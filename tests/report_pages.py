"""Pages for the tests of the report."""

from pathlib import Path

import pytest

import heft.reporting.page as page_module
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.answer import draw_answer
from heft.reporting.figures.drawing import Picture, style
from heft.reporting.inputs import ReportInput
from heft.reporting.text.verdict import Verdict

FIGURES = {
    "answer", "over-random", "gain-by-method", "gain-by-ensemble", "precision-recall", "ensemble-size", "cost",
    "training", "agreement", "classes",
}  # fmt: skip


def render_words(report: ReportInput, folder: Path, shared: Path | None = None) -> str:
    """Writes a report with its first figure alone and returns the page: the other figures take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_module, "draw_figures", _draw_the_answer)
        page_module.render_report(report, folder, shared)
    return (folder / "index.html").read_text(encoding="utf-8")


def _draw_the_answer(_: object, comparison: Comparison, verdict: Verdict, *others: object) -> dict[str, Picture]:
    with style():
        answer = draw_answer(comparison, verdict)
    return {answer.name: answer} if answer else {}
