"""The report follows the experiment's measure: its values, its direction, its unit and what validation chooses by."""

from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_methods import METHODS
from synthetic_report import ACCURACY, comparison_rows, report_input
from treated_report import BALANCED, GAP, RELABEL, TEST_LOSS, balanced_report, gap_report, treated_rows, with_metric

from heft.evaluation.statistics import estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Outcome, choose
from heft.reporting.measure import Measure
from heft.reporting.page import render_report
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.text.measure import explained_measure
from heft.reporting.text.verdict import judge
from heft.reporting.treatment import Treatment

SOME = estimate(pd.Series([0.05, 0.06, 0.04]))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (ACCURACY.level(0.7961), "79.6\u00a0%"),
        (TEST_LOSS.level(0.7961), "0.796\u00a0nats"),
        (Measure("x", "test x", unit="").level(0.5), "0.500"),
        (TEST_LOSS.number(nan), "–"),
        (ACCURACY.change_of_level(0.7961, 0.8814), "from 79.6 to 88.1\u00a0%"),
        (ACCURACY.change_of_level(0.85648, 0.85652), "from 85.65 to 85.65\u00a0%"),
        (ACCURACY.change_of_level(0.85646, 0.85664), "from 85.65 to 85.66\u00a0%"),
        (ACCURACY.change_of_level(0.8561, 0.8561), "from 85.6 to 85.6\u00a0%"),
        (ACCURACY.change_of_level(nan, 0.8561), "from – to 85.6\u00a0%"),
        (TEST_LOSS.change_of_level(0.31249, 0.31251), "from 0.3125 to 0.3125\u00a0nats"),
        (ACCURACY.gain(-0.0853), "−8.5"),
        (TEST_LOSS.gain(-0.0853), "−0.085"),
        (TEST_LOSS.gain(0.0001), "0.000"),
        (TEST_LOSS.gain(nan), "–"),
        (ACCURACY.gain_with_unit(0.01), "+1.0 points"),
        (TEST_LOSS.gain_with_unit(0.01), "+0.010 nats"),
        (Measure("x", "x", unit="").gain_with_unit(0.01), "+0.010"),
        (ACCURACY.gain_interval(SOME), f"+{100 * SOME.low:.1f} to +{100 * SOME.high:.1f}"),
        (TEST_LOSS.gain_interval(estimate(pd.Series([0.1]))), ""),
        (ACCURACY.axis, "test accuracy (%)"),
        (TEST_LOSS.gain_axis("improvement"), "improvement (nats)"),
        (Measure("x", "x", unit="").gain_axis("change"), "change"),
        (ACCURACY.short, "accuracy"),
        (BALANCED.short, "balanced accuracy"),
        (BALANCED.validated_by, "validation macro loss"),
        (ACCURACY.direction, ""),
        (GAP.difference_to, "improvement of test gap over"),
        (explained_measure(ACCURACY), ""),
        (explained_measure(BALANCED), f"{BALANCED.does} The lowest validation macro loss chooses."),
    ],
)
def test_a_measure_writes_its_numbers_so(written: str, expected: str) -> None:
    assert written == expected


def test_values_come_from_the_long_form_where_the_measure_is_no_column() -> None:
    report = balanced_report()
    comparison = Comparison(report)
    rows = report.comparison[(report.comparison["variant"] == "ip") & (report.comparison["fraction"] == 0.2)]
    expected = rows.set_index("seed")["test_accuracy"] - 0.05
    assert comparison.values("ip", Treatment("remove", 0.2)).to_dict() == pytest.approx(expected.to_dict())
    assert comparison.untreated.mean() == pytest.approx(
        report.comparison[report.comparison["method"] == "none"]["test_accuracy"].mean() - 0.05
    )


def test_the_measures_own_objective_on_validation_chooses_whatever_the_loss_says() -> None:
    rows = comparison_rows()
    balanced = rows["test_accuracy"] - 0.05
    best = (rows["variant"] == "margin") & (rows["fraction"] == 0.05)
    macro = pd.Series(np.where(best, 0.01, 2.0), index=rows.index)
    rows["chosen"] = rows["chosen"].where(rows["variant"] != "margin", best)
    long = with_metric(rows, balanced_accuracy=balanced, validation_macro_loss=macro)
    comparison = Comparison(balanced_report(comparison=rows, long_metrics=long))
    choice = choose(comparison)
    assert choice is not None
    assert (choice.variant.slug, choice.treatment.fraction) == ("margin", 0.05)
    said = judge(comparison).chosen_how
    assert said is not None
    assert "margin reached the lowest validation macro loss, and did so at 5\u00a0%." in said


def test_sentences_and_table_name_the_measure() -> None:
    comparison = Comparison(balanced_report())
    verdict = judge(comparison)
    assert "ranks lowest raised balanced accuracy from 74." in verdict.headline
    table = comparison_table(comparison, verdict)
    assert "gain in balanced accuracy" in table.caption
    assert "Balanced accuracy gain (points) when removing" in {column.group for column in table.columns}


def test_where_lower_is_better_a_fall_is_a_gain_and_the_text_says_which_way() -> None:
    report = gap_report()
    comparison, rows = Comparison(report), report.comparison
    gain = comparison.gain("ip", Treatment("remove", 0.3))
    after = rows[(rows["variant"] == "ip") & (rows["fraction"] == 0.3)].set_index("seed")["test_accuracy"]
    before = rows[rows["method"] == "none"].set_index("seed")["test_accuracy"]
    assert gain.mean == pytest.approx(float(((after - before) / 2).mean()))
    assert gain.above_zero
    verdict = judge(comparison)
    assert verdict.outcome is Outcome.GAIN
    assert "ranks lowest reduced test gap from 10." in verdict.headline
    assert "Difference to removing nothing: +" in verdict.evidence
    assert verdict.evidence.endswith("Signed so that above 0 is better: a lower test gap.")


def test_where_lower_is_better_a_rise_is_a_loss() -> None:
    losses = {name: -0.05 for name in METHODS if name not in ("random", "oracle")} | {"random": -0.052}
    rows = comparison_rows(gains=losses)
    rows.loc[rows["variant"] == "ip", "chosen"] = rows["fraction"] == 0.3
    rows.loc[(rows["variant"] == "ip") & (rows["fraction"] == 0.3), "val_loss"] = 0.01
    long = with_metric(rows, worst_gap=(1 - rows["test_accuracy"]) / 2)
    verdict = judge(Comparison(gap_report(comparison=rows, long_metrics=long)))
    assert verdict.outcome is Outcome.LOSS
    assert "ranks lowest increased test gap" in verdict.headline


def test_without_a_value_of_the_unpruned_model_there_is_nothing_to_compare() -> None:
    verdict = judge(Comparison(report_input(measure=BALANCED)))
    assert verdict.outcome is Outcome.NOTHING
    assert verdict.headline.startswith("There is nothing to compare")


@pytest.mark.slow
def test_no_word_of_removal_or_accuracy_is_left_where_neither_was_asked_for(
    tmp_path: Path,
) -> None:
    rows = treated_rows(("relabel",))
    report = report_input(comparison=rows, actions={"relabel": RELABEL}, measure=TEST_LOSS)
    long = report.long_metrics[~report.long_metrics["metric"].str.contains("accuracy")]
    history = report.history.drop(columns=["train_accuracy", "validation_accuracy"]).head(0)
    report = report_input(
        comparison=rows, actions={"relabel": RELABEL}, measure=TEST_LOSS, long_metrics=long, history=history
    )
    render_report(report, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8").partition("</style>")[2].partition("<script>")[0]
    assert "remov" not in page.lower()
    assert "accuracy" not in page.replace("No accuracy of single classes was recorded", "").lower()
    assert "test loss (nats)" in page
