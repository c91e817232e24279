"""Sentences of the report against t-tests and Holm's correction taken by hand from the comparison table."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_methods import METHODS
from synthetic_report import comparison_rows, removing, report_input

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Outcome, choose
from heft.reporting.text.verdict import Verdict, judge

REFERENCES = ("none", "random", "oracle", "finetuned")
SEEDS = range(5)


def by_hand(p_values: dict[str, float]) -> dict[str, float]:
    """Holm's corrected p-values: the k-th smallest of m times m - k, no smaller than the one before."""
    corrected, largest = {}, 0.0
    for rank, (name, value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, value * (len(p_values) - rank))
        corrected[name] = min(1.0, largest)
    return corrected


def accuracy(rows: pd.DataFrame, variant: str, fraction: float) -> np.ndarray:
    matching = rows[(rows["variant"] == variant) & (rows["fraction"] == fraction)].sort_values("seed")
    return matching["test_accuracy"].to_numpy()


def compared(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows["variant"].unique() if name not in REFERENCES]


def p_of(left: np.ndarray, right: np.ndarray) -> float:
    return float(stats.ttest_rel(left, right).pvalue)


def picked(rows: pd.DataFrame, variant: str = "ip", fraction: float = 0.3) -> pd.DataFrame:
    """Lets validation choose that row."""
    rows.loc[(rows["variant"] == variant) & (rows["fraction"] == fraction), "val_loss"] = 0.01
    rows.loc[rows["variant"] == variant, "chosen"] = rows["fraction"] == fraction
    return rows


def with_differences(base: str, differences: dict[str, list[float]], fraction: float = 0.3) -> pd.DataFrame:
    """The made-up table, in which variants differ from `base` by these numbers in each seed."""
    rows = picked(comparison_rows())
    start = accuracy(rows, base, 0.0 if base == "none" else fraction)
    for variant, values in differences.items():
        mask = (rows["variant"] == variant) & (rows["fraction"] == fraction)
        rows.loc[mask, "test_accuracy"] = start + np.array(values)
    return rows


def judged(rows: pd.DataFrame) -> Verdict:
    return judge(Comparison(report_input(comparison=rows)))


# Clear at a raw p-value of about .005, and not after Holm's correction over the eighteen variants.
UNCERTAIN = [0.02, 0.05, 0.03, 0.06, 0.04]


def test_the_evidence_states_difference_interval_and_corrected_p_values() -> None:
    unclear = {name: [0.0, 0.001, -0.001, 0.002, -0.002] for name in ("loss", "margin", "forgetting", "self_ip")}
    rows = with_differences("none", unclear | {"ip": [0.03, 0.12, 0.07, 0.13, 0.08]})
    for reference, sentence in (("none", "Difference to removing nothing"), ("random", "Difference to random")):
        right = accuracy(rows, reference, 0.0 if reference == "none" else 0.3)
        raw = {variant: p_of(accuracy(rows, variant, 0.3), right) for variant in compared(rows)}
        test = stats.ttest_rel(accuracy(rows, "ip", 0.3), right)
        low, high = (100 * limit for limit in test.confidence_interval(0.95))
        corrected = by_hand(raw)["ip"]
        assert corrected > 0.002  # of which two digits are written, others than those of the raw one
        assert corrected > 1.5 * raw["ip"]
        said = "p < 0.001" if corrected < 0.001 else f"p = {corrected:.2g}"
        mean = 100 * (accuracy(rows, "ip", 0.3) - right).mean()
        expected = (
            f"{sentence}: {mean:+.1f} points (95\u00a0% interval {low:+.1f} to {high:+.1f}, Holm-corrected {said})"
        )
        assert expected in judged(rows).evidence


def test_a_gain_that_is_clear_only_before_the_correction_is_not_called_one() -> None:
    others = {name: [0.0, 0.001, -0.001, 0.002, -0.002] for name in compared(comparison_rows())}
    rows = with_differences("none", others | {"ip": UNCERTAIN, "random": [-0.2, -0.21, -0.19, -0.2, -0.22]})
    raw = {variant: p_of(accuracy(rows, variant, 0.3), accuracy(rows, "none", 0.0)) for variant in compared(rows)}
    assert raw["ip"] < 0.01
    assert by_hand(raw)["ip"] > 0.05
    verdict = judged(rows)
    assert verdict.outcome is Outcome.ONLY_OVER_RANDOM
    assert "no detectable gain over removing nothing" in verdict.headline


def test_better_than_random_only_before_the_correction_is_no_gain_over_random() -> None:
    gain = np.array([0.1, 0.11, 0.1, 0.1, 0.11])
    others = {name: list(gain - UNCERTAIN) for name in compared(comparison_rows())}
    rows = with_differences("none", others | {"ip": list(gain), "random": list(gain - UNCERTAIN)})
    for name in others.keys() - {"ip"}:  # no variant but ip differs from random
        mask = (rows["variant"] == name) & (rows["fraction"] == 0.3)
        rows.loc[mask, "test_accuracy"] += [1e-3, -1e-3, 2e-3, -2e-3, 0]
    assert p_of(accuracy(rows, "ip", 0.3), accuracy(rows, "random", 0.3)) < 0.01
    assert judged(rows).outcome is Outcome.ONLY_OVER_NONE


def test_the_headline_names_accuracy_before_and_after_in_this_order() -> None:
    rows = with_differences("none", {"ip": [0.08, 0.11, 0.09, 0.12, 0.10]})
    before, after = (100 * accuracy(rows, *key).mean() for key in (("none", 0.0), ("ip", 0.3)))
    verdict = judged(rows)
    assert verdict.outcome is Outcome.GAIN
    assert f"raised test accuracy from {before:.1f} to {after:.1f}\u00a0%." in verdict.headline
    worse = judged(with_differences("none", {name: [-0.2, -0.21, -0.19, -0.2, -0.22] for name in [*METHODS][2:]}))
    random = 100 * accuracy(rows, "random", 0.3).mean()
    assert worse.outcome is Outcome.WORSE_THAN_RANDOM
    assert f"and to {random:.1f}\u00a0% with the random 30\u00a0% removed" in worse.headline


def test_the_rivals_that_test_cannot_tell_from_the_choice_are_counted_after_the_correction() -> None:
    rows = picked(comparison_rows())
    own = accuracy(rows, "ip", 0.3)
    others = [variant for variant in compared(rows) if variant not in ("ip", "trusted_loss")]
    for variant in others[:9]:
        rows.loc[(rows["variant"] == variant) & (rows["fraction"] == 0.3), "test_accuracy"] = own - UNCERTAIN
    raw = {variant: p_of(own, accuracy(rows, variant, 0.3)) for variant in others}
    corrected = by_hand(raw)
    alike = [sum(p >= 0.05 for p in values.values()) for values in (raw, corrected)]
    assert alike[0] + 5 < alike[1]
    said = judged(rows).chosen_how
    assert said is not None
    assert f" On test, {alike[1]} of the other {len(others)} are not detectably different there." in said


def test_the_recovered_share_is_the_choices_gain_over_the_oracles() -> None:
    rows = with_differences("none", {"ip": [0.048, 0.051, 0.05, 0.049, 0.052], "oracle": [0.2, 0.21, 0.19, 0.2, 0.2]})
    said = judged(rows).ceiling
    assert said == "Removing exactly the wrong labels (30\u00a0%) brought +20.0 points; ip recovers 25\u00a0% of that."


def test_nothing_is_recovered_where_the_gain_is_not_clear_of_zero() -> None:
    rows = with_differences("none", {"ip": [0.05, -0.05, 0.04, -0.03, 0.01]})
    said = judged(rows).ceiling
    assert said is not None
    assert said.endswith("nothing detectable of it was recovered.")


def test_a_baseline_that_is_better_only_before_the_correction_over_the_baselines_is_not_called_better() -> None:
    rows = picked(comparison_rows())
    own = accuracy(rows, "ip", 0.3)
    template = rows[rows["variant"] == "finetuned"]
    gain = np.array([0.01, 0.06, 0.03, 0.07, 0.02])  # p = .04 alone
    assert 0.025 < p_of(own + gain, own) < 0.05
    second = template.assign(variant="other", method="other", test_accuracy=own + np.array([0.1, -0.1, 0.05, -0.04, 0]))
    alone = rows.copy()
    alone.loc[alone["variant"] == "finetuned", "test_accuracy"] = own + gain
    (rival,) = judged(alone).rivals
    assert rival.wins
    both = judged(pd.concat([alone, second], ignore_index=True)).rivals
    assert [baseline.variant.slug for baseline in both] == ["finetuned", "other"]
    assert not both[0].wins
    assert "no detectable difference to ip" in both[0].sentence
    stated = re.search(r"Holm-corrected p = ([\d.]+)", both[0].sentence)
    assert stated is not None
    assert float(stated[1]) == pytest.approx(2 * p_of(own + gain, own), rel=0.05)


def test_the_choice_is_by_mean_validation_loss_of_chosen_rows_and_then_of_all_rows() -> None:
    rows = comparison_rows()
    rows["val_loss"] = 2.0
    # margin: the lowest single loss, in one seed alone; ip: the lowest mean over seeds.
    rows.loc[(rows["variant"] == "margin") & (rows["seed"] == 0), "val_loss"] = 0.1
    rows.loc[(rows["variant"] == "ip") & (rows["fraction"] == 0.1), "val_loss"] = [1.2, 1.0, 1.1, 1.0, 1.2]
    rows["chosen"] = False
    for variant in rows["variant"].unique():
        for seed in SEEDS:
            of_seed = rows[(rows["variant"] == variant) & (rows["seed"] == seed)]
            rows.loc[of_seed["val_loss"].idxmin(), "chosen"] = True
    choice = choose(Comparison(report_input(comparison=rows)))
    assert choice is not None
    assert (choice.variant.slug, choice.treatment) == ("ip", removing(0.1))
