"""All figures of a report, in the order of the page; one that lacks its data is left out."""

from heft.reporting.comparison import Comparison
from heft.reporting.drawing import Picture, style
from heft.reporting.figures_accuracy import draw_answer, draw_ensemble_accuracy, draw_over_random, draw_plain_accuracy
from heft.reporting.figures_quality import draw_cost, draw_ensemble_size, draw_precision_recall, draw_training
from heft.reporting.inputs import ReportInput
from heft.reporting.verdict import Verdict


def draw_figures(report: ReportInput, comparison: Comparison, verdict: Verdict) -> dict[str, Picture]:
    """Pictures by name."""
    with style():
        drawn = [
            draw_answer(comparison, verdict),
            draw_over_random(comparison, verdict),
            draw_plain_accuracy(comparison),
            draw_ensemble_accuracy(comparison),
            draw_precision_recall(report.precision_recall, comparison),
            draw_ensemble_size(comparison, verdict),
            draw_cost(comparison, verdict),
            draw_training(report.history, report.split.noise_rate),
        ]
    return {picture.name: picture for picture in drawn if picture is not None}
