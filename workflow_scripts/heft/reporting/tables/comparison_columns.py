"""The columns of the comparison table, each with the hint that explains it."""

from collections.abc import Sequence

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.tables.table import Column
from heft.reporting.text.actions import at_random, opening
from heft.reporting.wording import share


def comparison_columns(comparison: Comparison, fraction: float, extra: Sequence[str]) -> list[Column]:
    """Heads in the order of a line's cells; columns for one fraction alone are for `fraction`."""
    detection, cost, more = "Wrong labels found", "Cost", "More"
    part, measure, action = share(fraction), comparison.measure, comparison.any_action
    unit = f" ({measure.gain_unit})" if measure.gain_unit else ""
    gains = f"{measure.short} gain" if measure.higher_is_better else f"improvement of {measure.short}"
    gain, random = f"{opening(gains)}{unit} when {action.gerund}", f"Against random, {part}"
    return [
        Column("Method", "the method, with options that are not the default; below it, how an ensemble's models were "
               "made", "Variant", words=True),
        Column("K", "number of models whose scores are averaged", "Variant"),
        *([Column("Action", "what is done with the lowest-scored examples", "Variant", words=True)]
          if comparison.several else []),
        Column("AUROC", "chance that a wrong label scores lower than a right one; 95 % interval below", detection),
        Column("AP", "average precision: area under precision over recall", detection),
        Column("Found %", "share of the wrong labels that are found when as many examples are inspected as are wrong, "
               "lowest scores first", detection),
        *(Column(share(each), _gain_hint(comparison, share(each)), gain) for each in comparison.fractions),
        Column("Difference", _random_hint(comparison, fraction), random),
        Column("Holm p", "p-value of that difference, Holm-corrected over the variants compared", random),
        Column("× fwd", "CPU time of the score over that of one forward pass over the training set", cost),
        Column("CPU s", "CPU seconds of the score, training of further models included", cost),
        Column("MB", "peak memory above what imports and data take", cost),
        *(Column(label, f"mean over seeds at {part} {action.participle}", more) for label in extra),
    ]  # fmt: skip


def _gain_hint(comparison: Comparison, part: str) -> str:
    title, action = comparison.measure.title, comparison.any_action
    if comparison.measure.higher_is_better:
        return f"{title} after {action.gerund} the lowest {part}, less that of no {action.noun}"
    return f"{title} of no {action.noun}, less that after {action.gerund} the lowest {part}: above 0 is better"


def _random_hint(comparison: Comparison, fraction: float) -> str:
    measure, random = comparison.measure, at_random(comparison.any_action, fraction)
    unit = f", {measure.gain_unit}" if measure.gain_unit else ""
    if measure.higher_is_better:
        return f"{measure.title} less that after {random}{unit}"
    return f"{measure.title} after {random}, less its own{unit}: above 0 is better"
