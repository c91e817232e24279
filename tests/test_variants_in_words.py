"""What a variant is called, and what is said of validation labels and of baselines."""

import pytest
from synthetic_report import ON_VALIDATION, comparison_rows, report_input
from verdict_cases import judged, pick

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import choose
from heft.reporting.text.verdict import judge


def test_a_variant_is_called_by_its_methods_title_kind_and_size():
    labels = {variant.slug: variant.label for variant in Comparison(report_input()).variants}
    assert labels["ip__parameter_dropout__20"] == "ip (parameter dropout ×20)"
    assert labels["if_cg__parameter_dropout__10"] == "Influence (CG; parameter dropout ×10)"


SLUG = "if_cg-damping_1e-05__parameter_dropout-p_max_0.5__10"


def test_options_that_are_not_the_default_belong_to_the_name():
    rows = comparison_rows()
    rows.loc[rows["variant"] == "if_cg__parameter_dropout__10", "options"] = '{"damping": 1e-05, "p_max": 0.5}'
    rows["variant"] = rows["variant"].replace({"if_cg__parameter_dropout__10": SLUG})
    labels = {variant.slug: variant.label for variant in Comparison(report_input(comparison=rows)).variants}
    assert labels[SLUG] == "Influence (CG; damping 1e-05; parameter dropout, p max 0.5 ×10)"


def test_a_variant_trained_on_validation_labels_is_never_chosen_whatever_its_validation_loss():
    rows = comparison_rows()
    rows.loc[rows["variant"] == ON_VALIDATION, ["val_loss", "chosen"]] = [0.0, True]
    comparison = Comparison(report_input(comparison=rows))
    choice = choose(comparison)
    assert choice is not None
    assert choice.variant.slug != ON_VALIDATION
    assert ON_VALIDATION in {variant.slug for variant in comparison.compared}
    verdict = judge(comparison)
    assert verdict.chosen_how is not None
    assert "of the 17 variants compared" in verdict.chosen_how
    assert "Trusted loss, whose scores come from validation labels, was not eligible" in verdict.chosen_how


def test_a_variant_without_a_chosen_row_counts_as_trained_on_validation_without_the_metric_too():
    report = report_input()
    silent = report.long_metrics[report.long_metrics["metric"] != "trains_on_validation"]
    comparison = Comparison(report_input(long_metrics=silent))
    marked = {variant.slug for variant in [*comparison.variants, *comparison.baselines] if variant.trains_on_validation}
    assert marked == {ON_VALIDATION, "finetuned"}


@pytest.mark.parametrize(
    ("gain", "said"),
    [(0.16, "better than ip"), (0.098, "no detectable difference to ip"), (0.02, "worse than ip")],
    ids=["better", "alike", "worse"],
)
def test_the_report_says_where_a_baseline_beats_the_curated_models_and_where_not(gain: float, said: str):
    rows = pick(comparison_rows(gains={"finetuned": gain}), "ip", 0.3)
    (rival,) = judged(rows).rivals
    assert said in rival.sentence
    assert "Fine-tuned (nothing removed, trained on validation labels) reaches" in rival.sentence
    assert rival.wins == (gain == 0.16)


def test_a_baseline_is_compared_with_the_choice_seed_by_seed():
    rows = pick(comparison_rows(), "ip", 0.3)
    (rival,) = judged(rows).rivals
    accuracy = rows.set_index("seed")["test_accuracy"]
    tuned = accuracy[(rows["variant"] == "finetuned").to_numpy()]
    curated = accuracy[((rows["variant"] == "ip") & (rows["fraction"] == 0.3)).to_numpy()]
    expected = {int(seed): float(value) for seed, value in (tuned - curated).items()}
    assert rival.difference.values == pytest.approx(expected)


def test_one_seed_ranks_no_baseline():
    (rival,) = judged(comparison_rows(n_seeds=1)).rivals
    assert not rival.wins
    assert "no interval" in rival.sentence
    assert "With 1 seed it cannot be ranked" in rival.sentence


def test_a_variant_that_lacks_a_seed_is_not_chosen_before_those_that_have_all():
    rows = comparison_rows()
    rows.loc[rows["variant"] == "margin", "val_loss"] = 0.0
    partial = rows[~((rows["variant"] == "margin") & (rows["seed"] == 2))]
    assert choose(Comparison(report_input(comparison=rows))).variant.slug == "margin"  # type: ignore[union-attr]
    assert choose(Comparison(report_input(comparison=partial))).variant.slug != "margin"  # type: ignore[union-attr]
