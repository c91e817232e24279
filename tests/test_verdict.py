"""The first screen's sentences follow the numbers: three tables, three sentences, and the cases between."""

from synthetic_methods import METHODS
from synthetic_report import comparison_rows, removing, report_input
from verdict_cases import judged, pick

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Outcome, choose


def gains(value: float) -> dict[str, float]:
    """The same gain at the noise rate for every method under test."""
    return {name: value for name in METHODS if name not in ("random", "oracle")}


def test_a_clear_win_is_called_one():
    verdict = judged(pick(comparison_rows(), "ip", 0.3))
    assert verdict.outcome is Outcome.GAIN
    assert (
        "Removing the 30\u00a0% of training examples that ip ranks lowest raised test accuracy from" in verdict.headline
    )
    assert "95\u00a0% interval" in verdict.evidence
    assert "5 seeds" in verdict.evidence
    assert "Removing a random 30\u00a0%: −2" in verdict.evidence


def test_a_tie_is_called_no_detectable_difference():
    rows = comparison_rows(gains={"random": 0.0} | gains(0.0))
    verdict = judged(pick(rows, "ip", 0.1))
    assert verdict.outcome is Outcome.NO_DIFFERENCE
    assert "ip ranks lowest made no detectable difference to test accuracy" in verdict.headline
    assert "raised" not in verdict.headline + verdict.evidence


def test_worse_than_random_is_called_so():
    verdict = judged(pick(comparison_rows(gains=gains(-0.09)), "ip", 0.3))
    assert verdict.outcome is Outcome.WORSE_THAN_RANDOM
    assert "ip ranks lowest was worse than removing a random 30\u00a0%: test accuracy went from" in verdict.headline
    assert "raised" not in verdict.headline


def test_a_rise_that_random_removal_shows_too_is_not_credited_to_the_method():
    verdict = judged(pick(comparison_rows(gains=gains(0.05) | {"random": 0.052}), "ip", 0.3))
    assert verdict.outcome is Outcome.ONLY_OVER_NONE
    assert "not detectably more than removing a random 30\u00a0%" in verdict.headline


def test_a_loss_no_worse_than_random_is_called_a_loss():
    verdict = judged(pick(comparison_rows(gains=gains(-0.05) | {"random": -0.052}), "ip", 0.3))
    assert verdict.outcome is Outcome.LOSS
    assert "lowered test accuracy" in verdict.headline


def test_one_seed_claims_nothing():
    verdict = judged(comparison_rows(n_seeds=1))
    assert verdict.outcome is Outcome.NO_INTERVAL
    assert "with one seed, chance cannot be told from effect" in verdict.headline
    assert "raised" not in verdict.headline
    assert verdict.caution is not None
    assert "Only 1 seed: no interval" in verdict.caution


def test_no_interval_is_said_of_the_difference_that_has_none_alone():
    rows = pick(comparison_rows(n_seeds=3), "ip", 0.3)
    lacking = rows[~((rows["variant"] == "random") & (rows["seed"] > 0))]
    verdict = judged(lacking)
    assert verdict.outcome is Outcome.NO_INTERVAL
    assert "no interval can be given for the difference to random (" in verdict.headline
    assert "(95\u00a0% interval" in verdict.evidence
    assert verdict.caution is not None
    assert "no interval" not in verdict.caution


def test_three_seeds_are_said_to_be_few_and_each_difference_is_shown():
    verdict = judged(pick(comparison_rows(n_seeds=3), "ip", 0.3))
    assert verdict.caution is not None
    assert "Only 3 seeds: the interval is wide" in verdict.caution
    assert verdict.caution.count("+") == 3
    assert judged(comparison_rows()).caution is None


def test_without_a_random_row_nothing_is_claimed_over_random():
    rows = comparison_rows()
    verdict = judged(rows[rows["method"] != "random"])
    assert verdict.outcome is Outcome.NO_RANDOM
    assert "without a random row it cannot be said" in verdict.headline


def test_nothing_but_references_is_nothing_to_compare():
    rows = comparison_rows()
    verdict = judged(rows[rows["method"].isin(["none", "random", "oracle"])])
    assert verdict.outcome is Outcome.NOTHING


def test_the_variant_is_chosen_by_validation_whatever_test_says():
    rows = pick(comparison_rows(), "margin", 0.05)
    rows.loc[rows["variant"] == "ip", "test_accuracy"] = 0.99
    choice = choose(Comparison(report_input(comparison=rows)))
    assert choice is not None
    assert (choice.variant.slug, choice.treatment) == ("margin", removing(0.05))
    verdict = judged(rows)
    assert verdict.chosen_how is not None
    assert "Chosen by validation, not by test" in verdict.chosen_how


def test_oracle_random_and_none_are_never_the_headline():
    for reference in ("oracle", "random"):
        choice = choose(Comparison(report_input(comparison=pick(comparison_rows(), reference, 0.3))))
        assert choice is not None
        assert choice.variant.compared


def test_detection_and_ceiling_are_said_where_true_labels_are_known_and_only_there():
    verdict = judged(pick(comparison_rows(), "ip", 0.3))
    assert verdict.detection is not None
    assert "ip finds the wrong labels with AUROC 0.97" in verdict.detection
    assert verdict.ceiling is not None
    assert "ip recovers" in verdict.ceiling
    rows = comparison_rows()
    rows = rows[rows["method"] != "oracle"]
    rows[["noise_auroc", "noise_ap", "noise_precision", "noise_recall"]] = float("nan")
    unknown = judged(rows)
    assert (unknown.detection, unknown.ceiling) == (None, None)


def test_an_unclear_oracle_is_no_ceiling():
    verdict = judged(pick(comparison_rows(gains={"oracle": 0.0}), "ip", 0.3))
    assert verdict.ceiling is not None
    assert "itself not clear of zero" in verdict.ceiling
