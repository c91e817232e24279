"""All figures of a report, in the order of the page; one that lacks its data is left out."""

from heft.reporting.analysis.agreement import Agreement
from heft.reporting.analysis.classes import ClassChanges
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.agreement import draw_agreement
from heft.reporting.figures.answer import draw_answer
from heft.reporting.figures.classes import draw_classes
from heft.reporting.figures.cost import draw_cost
from heft.reporting.figures.detection import draw_precision_recall
from heft.reporting.figures.drawing import Picture, style
from heft.reporting.figures.ensembles import draw_ensemble_size
from heft.reporting.figures.gain import draw_ensemble_gain, draw_plain_gain
from heft.reporting.figures.over_random import draw_over_random
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
    """Pictures by name; where one shows a single action of several, it is the headline's."""
    action = verdict.choice.treatment.action if verdict.choice else next(iter(comparison.actions))
    with style():
        drawn = [
            draw_answer(comparison, verdict),
            draw_over_random(comparison, verdict),
            draw_plain_gain(comparison),
            draw_ensemble_gain(comparison, action),
            draw_classes(classes, comparison),
            draw_precision_recall(report.precision_recall, comparison),
            draw_agreement(agreement),
            draw_ensemble_size(comparison, verdict),
            draw_cost(comparison, verdict),
            draw_training(report.history, report.split.noise_rate),
        ]
    return {picture.name: picture for picture in drawn if picture is not None}
