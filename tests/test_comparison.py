"""The comparison's questions, answered by hand: pairs by seed, references, ensembles, what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_methods import METHODS
from synthetic_report import comparison_rows, long_metrics, removing, report_input
from test_headline import accuracy, by_hand, compared, p_of, picked

from heft.evaluation.statistics import Estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import MissingCell, SplitFacts
from heft.reporting.text.verdict import judge

ROWS = comparison_rows()


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison(report_input(comparison=ROWS.sample(frac=1.0, random_state=0)))


def is_test_of(estimate: Estimate, left: np.ndarray, right: np.ndarray) -> None:
    """Mean, interval and p-value are those of a paired t-test."""
    test = stats.ttest_rel(left, right)
    low, high = test.confidence_interval(0.95)
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((float((left - right).mean()), low, high))
    assert estimate.p_value == pytest.approx(test.pvalue)


def column(variant: str, name: str) -> np.ndarray:
    return ROWS[ROWS["variant"] == variant].groupby("seed")[name].first().to_numpy()


def test_differences_are_to_no_removal_to_random_and_to_another_variant(comparison: Comparison) -> None:
    ip = accuracy(ROWS, "ip", 0.2)
    is_test_of(comparison.gain("ip", removing(0.2)), ip, accuracy(ROWS, "none", 0.0))
    is_test_of(comparison.over_random("ip", removing(0.2)), ip, accuracy(ROWS, "random", 0.2))
    is_test_of(comparison.difference("ip", "loss", removing(0.2)), ip, accuracy(ROWS, "loss", 0.2))
    is_test_of(
        comparison.paired("ip", "loss", "noise_auroc"), column("ip", "noise_auroc"), column("loss", "noise_auroc")
    )
    assert comparison.paired("ip", "unheard_of", "noise_auroc").n == 0


def test_what_removes_nothing_has_its_number_at_every_fraction(comparison: Comparison) -> None:
    tuned = accuracy(ROWS, "finetuned", 0.0)
    for fraction in (0.0, 0.05, 0.3):
        assert comparison.values("finetuned", removing(fraction)).sort_index().to_numpy() == pytest.approx(tuned)
    assert comparison.values("unheard_of", removing(0.1)).empty


def test_p_values_are_corrected_over_the_variants_under_test_alone(comparison: Comparison) -> None:
    for against, fraction in (("none", 0.0), ("random", 0.1)):
        reference = accuracy(ROWS, against, fraction)
        raw = {variant: p_of(accuracy(ROWS, variant, 0.1), reference) for variant in compared(ROWS)}
        corrected = comparison.corrected(removing(0.1), against)
        assert corrected == pytest.approx(by_hand(raw))
        assert len(corrected) == len(METHODS) - 2 + 6  # neither random nor the oracle; six ensembles


def test_variants_stand_in_order_with_references_first_and_ensembles_by_size(comparison: Comparison) -> None:
    slugs = [variant.slug for variant in comparison.variants]
    assert slugs[:2] == ["random", "oracle"]
    of_ip = [slug for slug in slugs if slug == "ip" or slug.startswith("ip__")]
    assert of_ip == ["ip", *(f"ip__parameter_dropout__{size}" for size in (5, 10, 20)), "ip__seeds__5"]
    assert [variant.slug for variant in comparison.baselines] == ["finetuned"]
    ensemble = comparison.find("ip__seeds__5")
    assert ensemble is not None
    assert (ensemble.base, ensemble.scorer, ensemble.members) == ("ip", "ip__seeds", 5)
    assert comparison.find("finetuned") is None


@pytest.mark.parametrize(
    ("rate", "fraction"), [(0.3, 0.3), (0.3 + 1e-9, 0.3), (0.31, None), (None, None), (0.025, 0.025)]
)
def test_the_noise_fraction_is_the_one_that_equals_the_noise_rate(rate: float | None, fraction: float | None) -> None:
    assert Comparison(report_input(split=SplitFacts({}, "pairs", rate))).noise_fraction == fraction


def test_without_known_wrong_labels_there_is_no_noise_fraction() -> None:
    rows = ROWS.assign(noise_auroc=float("nan"))
    assert Comparison(report_input(comparison=rows)).noise_fraction is None


def test_a_classs_gain_is_paired_with_that_of_no_removal_and_a_baseline_has_no_fraction() -> None:
    long = long_metrics(ROWS)
    comparison = Comparison(report_input(comparison=ROWS, long_metrics=long))
    assert comparison.classes == list(range(10))

    def by_class(variant: str, fraction: float) -> np.ndarray:
        accuracies = long[(long["metric"] == "test_accuracy_class_4") & (long["variant"] == variant)]
        return accuracies[accuracies["fraction"] == fraction].sort_values("seed")["value"].to_numpy()

    ip, tuned = comparison.find("ip"), comparison.baselines[0]
    assert ip is not None
    is_test_of(comparison.class_gain(ip, removing(0.05), 4), by_class("ip", 0.05), by_class("none", 0.0))
    is_test_of(comparison.class_gain(tuned, removing(0.05), 4), by_class("finetuned", 0.0), by_class("none", 0.0))


def test_a_variant_is_absent_where_no_seed_is_evaluated_and_lacks_seeds_where_some_are() -> None:
    cells = [MissingCell(3, "loss", "loss", "killed"), MissingCell(1, "loss", "loss", "killed")]
    cells += [MissingCell(seed, "trak__seeds__5", "trak", "no memory", "seeds", 5) for seed in range(5)]
    comparison = Comparison(report_input(missing=cells))
    ((variant, reason),) = comparison.absent
    assert (variant.slug, variant.members, reason) == ("trak__seeds__5", 5, "no memory")
    assert comparison.missing_seeds("loss") == [1, 3]
    assert comparison.missing_seeds("ip") == []


def test_what_the_choice_finds_of_the_wrong_labels_is_said_in_numbers() -> None:
    rows = picked(comparison_rows())
    long = long_metrics(rows)
    auroc = column("ip", "noise_auroc")
    low, high = stats.t.interval(0.95, 4, auroc.mean(), stats.sem(auroc))
    of_ip = long[long["variant"] == "ip"].groupby(["metric", "seed"])["value"].first().groupby("metric").mean()
    said = judge(Comparison(report_input(comparison=rows, long_metrics=long))).detection
    for words in (
        f"AUROC {auroc.mean():.3f} ({low:.3f} to {min(1, high):.3f})",
        f"{100 * round(of_ip['noise_recall_inspected'], 3):.4g}\u00a0% of them",
        f"{of_ip['noise_missed_inspected']:.0f} are missed",
    ):
        assert words in said


def test_a_baseline_is_ranked_against_the_chosen_row_of_every_variant() -> None:
    rows = picked(comparison_rows(gains={"finetuned": 0.08}))
    tuned = accuracy(rows, "finetuned", 0.0)
    chosen = rows[rows["chosen"] == True]  # noqa: E712
    names = [variant for variant in compared(rows) if variant != "trusted_loss"]
    reached = {
        variant: chosen[chosen["variant"] == variant].sort_values("seed")["test_accuracy"].to_numpy()
        for variant in names
    }
    corrected = by_hand({variant: p_of(tuned, accuracies) for variant, accuracies in reached.items()})
    clear = {variant: float((tuned - reached[variant]).mean()) for variant in names if corrected[variant] < 0.05}
    above, below = sum(mean > 0 for mean in clear.values()), sum(mean < 0 for mean in clear.values())
    assert min(above, below) > 0
    (rival,) = judge(Comparison(report_input(comparison=rows))).rivals
    assert f"It beats {above} of the {len(names)} curated variants" in rival.sentence
    assert rival.sentence.endswith(f"and is beaten by {below}.")


def test_numbers_of_the_table_are_read_whatever_type_they_have() -> None:
    rows = ROWS.astype(object).where(ROWS.notna(), "")
    rows["chosen"] = [str(value) for value in ROWS["chosen"]]
    read = Comparison(replace(report_input(comparison=ROWS), comparison=rows))
    assert read.gain("ip", removing(0.2)) == Comparison(report_input(comparison=ROWS)).gain("ip", removing(0.2))
    assert read.rows["chosen"].sum() == sum(value is True for value in ROWS["chosen"])
    assert isinstance(read.rows["members"].iloc[0], np.integer)
    assert pd.api.types.is_float_dtype(read.rows["noise_auroc"])
