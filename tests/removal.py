"""Plans of the action `remove`, for tests of what happens with a plan."""

from collections.abc import Sequence

import pandas as pd

from heft.curation.chosen import ChosenAction
from heft.curation.plan import curation_plan

REMOVE = [ChosenAction("remove")]


def removal_plan(train: pd.DataFrame, scores: pd.DataFrame, fractions: Sequence[float], seed: int) -> pd.DataFrame:
    """The plan of `remove` alone."""
    return curation_plan(train, scores, REMOVE, fractions, seed, n_classes=int(train["label"].max()) + 1)
