"""Paired differences, t-intervals and Holm's correction against independent answers."""

from math import atan, isnan, pi

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from heft.evaluation.statistics import estimate, holm, paired_difference, rank_agreement

VALUES = pd.Series([0.081, 0.095, 0.074, 0.102, 0.088], index=[0, 1, 2, 3, 4])


def test_the_interval_and_p_value_are_those_of_scipys_paired_t_test():
    reference = pd.Series([0.80, 0.79, 0.81, 0.78, 0.80], index=VALUES.index)
    difference = paired_difference(reference + VALUES, reference)
    expected = stats.ttest_rel(reference + VALUES, reference)
    low, high = expected.confidence_interval(0.95)
    assert (difference.low, difference.high, difference.p_value) == pytest.approx((low, high, expected.pvalue))
    assert difference.above_zero
    assert not difference.below_zero


def test_differences_are_paired_by_seed_and_not_by_position():
    left = pd.Series([1.0, 2.0, 3.5], index=[0, 1, 2])
    right = pd.Series([3.0, 1.0, 0.5, 9.0], index=[2, 1, 0, 7])
    assert paired_difference(left, right).values == {0: 0.5, 1: 1.0, 2: 0.5}


def test_the_interval_covers_the_truth_in_95_of_100_experiments_of_5_seeds():
    generator = np.random.default_rng(0)
    drawn = [estimate(pd.Series(generator.normal(1, 2, 5))) for _ in range(2000)]
    assert np.mean([interval.low <= 1 <= interval.high for interval in drawn]) == pytest.approx(0.95, abs=0.015)


def test_one_seed_has_no_interval_and_is_not_clear_of_zero():
    alone = estimate(VALUES.head(1))
    assert alone.n == 1
    assert alone.mean == pytest.approx(0.081)
    assert not alone.has_interval
    assert isnan(alone.p_value)
    assert not alone.above_zero


def test_fewer_than_five_seeds_are_flagged_as_wide():
    assert estimate(VALUES.head(4)).wide
    assert not estimate(VALUES).wide


def test_empty_values_are_left_out():
    assert estimate(pd.Series([1.0, float("nan"), 3.0], index=[0, 1, 2])).values == {0: 1.0, 2: 3.0}
    assert estimate(pd.Series(dtype=float)).n == 0


def test_seeds_that_do_not_differ_give_no_interval_unless_nothing_changed_at_all():
    assert not estimate(pd.Series([0.1, 0.1, 0.1])).has_interval
    unchanged = estimate(pd.Series([0.0, 0.0, 0.0]))
    assert (unchanged.low, unchanged.high, unchanged.p_value) == (0.0, 0.0, 1.0)


def test_two_seeds_give_an_interval():
    two = estimate(pd.Series([1.0, 2.0]))
    assert (two.low, two.high) == pytest.approx((1.5 - 12.7062 / 2, 1.5 + 12.7062 / 2), rel=1e-5)  # t, one degree
    assert two.p_value == pytest.approx(2 * (0.5 - atan(3.0) / pi))  # Cauchy


def test_holm_agrees_with_the_example_worked_by_hand():
    # sorted: .005 x 4 = .02, .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 raised to .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_empty_p_values_empty_and_does_not_count_them():
    corrected = holm([0.02, float("nan"), 0.6])
    assert corrected[0] == pytest.approx(0.04)
    assert isnan(corrected[1])
    assert corrected[2] == pytest.approx(0.6)
    assert holm([]) == []


def test_holm_gives_no_p_above_1():
    assert holm([0.6, 0.7, 0.9]) == [1.0, 1.0, 1.0]


def test_rank_agreement_is_scipys_spearman_of_each_two_columns_with_equal_scores():
    generator = np.random.default_rng(5)
    scores = pd.DataFrame(generator.integers(0, 6, (40, 3)), columns=["a", "b", "c"])
    agreement = rank_agreement(scores).set_index(["variant", "other"])["spearman"]
    assert list(agreement.index) == [("a", "b"), ("a", "c"), ("b", "c")]
    for (first, second), value in agreement.items():
        assert value == pytest.approx(stats.spearmanr(scores[first], scores[second]).statistic)


def test_one_column_agrees_with_nothing():
    assert rank_agreement(pd.DataFrame({"a": [1.0, 2.0]})).empty
