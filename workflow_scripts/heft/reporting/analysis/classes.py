"""What the chosen treatment does class by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heft.evaluation.columns import CLASS_ACCURACY
from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Choice
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.treatment import UNTREATED, Treatment


@dataclass(frozen=True)
class ClassChanges:
    """Changes of test accuracy against the untreated model under `treatment`, paired by seed.

    shown: the chosen variant first, then references. names: class index -> name. before: index -> mean accuracy of the
    untreated model. changes: (slug, index) -> the change.
    """

    treatment: Treatment
    shown: Sequence[ReportedVariant]
    names: Mapping[int, str]
    before: Mapping[int, float]
    changes: Mapping[tuple[str, int], Estimate]


def class_changes(comparison: Comparison, choice: Choice | None, class_names: Sequence[str]) -> ClassChanges | None:
    """Changes for the headline's variant, random, oracle and the baselines; `None` where they are not measured."""
    if choice is None or not comparison.classes:
        return None
    treatment, chosen = choice.treatment, choice.variant
    references = [variant for variant in map(comparison.find, ("random", "oracle")) if variant is not None]
    shown = [chosen, *references, *comparison.baselines]
    changes = {
        (variant.slug, index): comparison.class_gain(variant, treatment, index)
        for variant in shown
        for index in comparison.classes
    }
    shown = [variant for variant in shown if any(changes[variant.slug, index].n for index in comparison.classes)]
    if chosen not in shown:
        return None
    return ClassChanges(
        treatment,
        shown,
        {index: class_names[index] if index < len(class_names) else str(index) for index in comparison.classes},
        {
            index: comparison.long.values(f"{CLASS_ACCURACY}{index}", "none", UNTREATED).mean()
            for index in comparison.classes
        },
        changes,
    )
