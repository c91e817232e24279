"""What the two differences say together, over all their cases."""

import pandas as pd
import pytest

from heft.evaluation.statistics import Estimate, estimate
from heft.reporting.analysis.outcome import Outcome, classify

UP = estimate(pd.Series([0.10, 0.11, 0.09, 0.10, 0.12]))
DOWN = estimate(pd.Series([-0.10, -0.11, -0.09, -0.10, -0.12]))
FLAT = estimate(pd.Series([0.01, -0.02, 0.02, -0.01, 0.0]))
ONE = estimate(pd.Series([0.1]))
NOTHING = estimate(pd.Series(dtype=float))
SURE, UNSURE = 0.049, 0.05


@pytest.mark.parametrize(
    ("gain", "over_random", "p_none", "p_random", "outcome"),
    [
        (UP, UP, SURE, SURE, Outcome.GAIN),
        (UP, UP, SURE, UNSURE, Outcome.ONLY_OVER_NONE),
        (UP, UP, UNSURE, SURE, Outcome.ONLY_OVER_RANDOM),
        (UP, UP, UNSURE, UNSURE, Outcome.NO_DIFFERENCE),
        (UP, FLAT, SURE, SURE, Outcome.ONLY_OVER_NONE),
        (FLAT, UP, SURE, SURE, Outcome.ONLY_OVER_RANDOM),
        (FLAT, FLAT, SURE, SURE, Outcome.NO_DIFFERENCE),
        (UP, DOWN, SURE, SURE, Outcome.WORSE_THAN_RANDOM),
        (DOWN, DOWN, SURE, SURE, Outcome.WORSE_THAN_RANDOM),
        (UP, DOWN, SURE, UNSURE, Outcome.ONLY_OVER_NONE),
        (DOWN, UP, SURE, SURE, Outcome.LOSS),
        (DOWN, FLAT, SURE, SURE, Outcome.LOSS),
        (DOWN, FLAT, UNSURE, SURE, Outcome.NO_DIFFERENCE),
        (DOWN, UP, UNSURE, SURE, Outcome.ONLY_OVER_RANDOM),
        (ONE, UP, SURE, SURE, Outcome.NO_INTERVAL),
        (UP, ONE, SURE, SURE, Outcome.NO_INTERVAL),
        (UP, NOTHING, SURE, SURE, Outcome.NO_RANDOM),
        (ONE, NOTHING, SURE, SURE, Outcome.NO_INTERVAL),
    ],
)
def test_an_outcome_needs_an_interval_clear_of_zero_and_a_corrected_p_value_below_the_level(
    gain: Estimate, over_random: Estimate, p_none: float, p_random: float, outcome: Outcome
) -> None:
    assert classify(gain, over_random, p_none, p_random) is outcome
