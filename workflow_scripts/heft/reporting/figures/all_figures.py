"""All figures of a report, in the order of the page; one that lacks its data is left out."""

from heft.reporting.analysis.agreement import Agreement
from heft.reporting.analysis.classes import ClassChanges
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.accuracy import draw_ensemble_accuracy, draw_plain_accuracy
from heft.reporting.figures.agreement import draw_agreement
from heft.reporting.figures.answer import draw_answer, draw_over_random
from heft.reporting.figures.classes import draw_classes
from heft.reporting.figures.cost import draw_cost
from heft.reporting.figures.detection import draw_precision_recall
from heft.reporting.figures.drawing import Picture, style
from heft.reporting.figures.ensembles import draw_ensemble_size
from heft.reporting.figures.training import draw_training
from heft.reporting.inputs import ReportInput
from heft.reporting.text.verdict import Verdict


def draw_figures(
    report: ReportInput,
    comparison: Comparison,
    verdict: Verdict,
    agreement: Agreement | None,
    classes: ClassChanges | None,
) -> dict[str, Picture]:
    """Pictures by name."""
    with style():
        drawn = [
            draw_answer(comparison, verdict),
            draw_over_random(comparison, verdict),
            draw_plain_accuracy(comparison),
            draw_ensemble_accuracy(comparison),
            draw_classes(classes),
            draw_precision_recall(report.precision_recall, comparison),
            draw_agreement(agreement),
            draw_ensemble_size(comparison, verdict),
            draw_cost(comparison, verdict),
            draw_training(report.history, report.split.noise_rate),
        ]
    return {picture.name: picture for picture in drawn if picture is not None}
