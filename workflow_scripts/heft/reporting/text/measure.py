"""A sentence about the measure, for who has not met it."""

from heft.evaluation.columns import LOSS
from heft.reporting.measure import Measure


def explained_measure(measure: Measure) -> str:
    """What it is and what chooses by it; empty where higher is better and validation loss chooses."""
    if measure.higher_is_better and measure.chosen_by == LOSS:
        return ""
    said = [measure.does, measure.direction, f"The lowest {measure.validated_by} chooses."]
    return " ".join(sentence for sentence in said if sentence)
