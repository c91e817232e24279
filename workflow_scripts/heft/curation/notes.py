"""What is to be known of a plan that can be carried out: classes that it leaves without an example."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from heft.curation.chosen import WHOLE, ChosenAction


def classes_left_empty(plan: pd.DataFrame, labels: np.ndarray) -> dict[tuple[str, float], list[int]]:
    """Of each action and fraction of a plan that leaves one of the given `labels` without an example, those labels."""
    gone = {
        (str(action), float(fraction)): sorted(set(labels.tolist()) - set(block.loc[block["kept"], "label"]))
        for (action, fraction), block in plan.groupby(["action", "fraction"], sort=False)
    }
    return {key: emptied for key, emptied in gone.items() if emptied}


def notes_on(
    plan: pd.DataFrame, labels: np.ndarray, class_names: Sequence[str], actions: Iterable[ChosenAction]
) -> list[str]:
    """Says which classes are left empty, each a sentence without a full stop.

    labels: those of the training split before the plan. actions: those of the plan.
    """
    gerunds = {chosen.slug: chosen.declaration.fields["gerund"] for chosen in actions}
    return [
        f"{gerunds[action]} {_part(fraction)} leaves no training example of the class "
        f"{', '.join(class_names[label] for label in gone)}"
        for (action, fraction), gone in classes_left_empty(plan, labels).items()
    ]


def _part(fraction: float) -> str:
    return "all training examples" if fraction == WHOLE else f"the lowest {100 * fraction:g} %"
