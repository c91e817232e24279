"""Classes, agreement, detection, baselines and the gallery say what the numbers say."""

import warnings
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from report_pages import render_words
from synthetic_report import CLASSES, comparison_rows, report_input

from heft.reporting.analysis.agreement import agreement_of
from heft.reporting.analysis.classes import class_changes
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.figures.classes import draw_classes
from heft.reporting.figures.drawing import Picture, style
from heft.reporting.gallery import make_gallery
from heft.reporting.inputs import ReportInput
from heft.reporting.tables.behind import class_table, detection_table
from heft.reporting.text.verdict import judge


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render_words(report_input(), tmp_path_factory.mktemp("report"))


def picture_of_classes(report: ReportInput) -> Picture:
    comparison = Comparison(report)
    changes = class_changes(comparison, judge(comparison).choice, report.manifest["class_names"])
    with style():
        picture = draw_classes(changes, comparison)
    assert picture is not None
    return picture


def test_the_gallery_holds_the_lowest_scores_in_order_with_the_truth_beside_them():
    report = report_input()
    comparison = Comparison(report)
    verdict = judge(comparison)
    assert report.training is not None
    assert verdict.choice is not None
    gallery = make_gallery(report.training, comparison, verdict, [str(digit) for digit in range(10)])
    assert gallery is not None
    scores = report.training.scores.set_index("id")[verdict.choice.variant.slug].sort_values()
    assert [card.id for card in gallery.cards] == list(scores.index[: len(gallery.cards)])
    truth = report.training.examples.set_index("id")
    for card in gallery.cards:
        assert (card.given, card.true) == tuple(str(truth.loc[card.id, column]) for column in ("label", "true_label"))
        assert card.wrong == (card.given != card.true)
    assert gallery.cards[0].percentiles[0][1] == 0.0


def test_what_a_removal_does_to_a_class_is_paired_by_seed_and_against_none():
    report = report_input()
    comparison = Comparison(report)
    classes = class_changes(comparison, judge(comparison).choice, CLASSES)
    assert classes is not None
    assert [variant.slug for variant in classes.shown] == ["ip__parameter_dropout__20", "random", "oracle", "finetuned"]
    long = report.long_metrics[report.long_metrics["metric"] == "test_accuracy_class_3"].set_index("seed")
    for slug, fraction in (("random", classes.treatment.fraction), ("finetuned", 0.0)):
        after = long[(long["variant"] == slug) & (long["fraction"] == fraction)]["value"]
        before = long[long["variant"] == "none"]["value"]
        expected = {int(seed): value for seed, value in (after - before).items()}
        assert classes.changes[slug, 3].values == pytest.approx(expected)
        assert classes.changes[slug, 3].has_interval
    assert classes.before[3] == pytest.approx(long[long["variant"] == "none"]["value"].mean())


@pytest.mark.slow
def test_classes_without_a_name_have_their_index_and_many_are_cut_in_the_figure_alone():
    report = report_input()
    long = report.long_metrics
    of_class = long[long["metric"] == "test_accuracy_class_3"]
    more = [of_class.assign(metric=f"test_accuracy_class_{index}") for index in range(10, 60)]
    report = report_input(long_metrics=pd.concat([long, *more]), manifest=report.manifest)
    assert "The 25 classes with the largest losses and gains" in picture_of_classes(report).description
    comparison = Comparison(report)
    table = class_table(class_changes(comparison, judge(comparison).choice, CLASSES), comparison)
    assert table is not None
    assert len(table.lines) == 60


def test_agreement_is_the_mean_over_seeds_with_its_range_and_neighbours_are_alike():
    report = report_input()
    agreement = agreement_of(report.agreement, Comparison(report))
    assert agreement is not None
    pair = report.agreement[(report.agreement["variant"] == "loss") & (report.agreement["other"] == "ip")]["spearman"]
    for place in (("loss", "ip"), ("ip", "loss")):
        assert agreement.matrix.loc[place] == pytest.approx(pair.mean())
        assert (agreement.lowest.loc[place], agreement.highest.loc[place]) == (pair.min(), pair.max())
    assert agreement.matrix.loc["ip", "ip"] == 1
    assert agreement.n_seeds == 5
    order = [variant.slug for variant in agreement.shown]
    assert "random" in (order[0], order[-1])


def test_the_detection_table_shows_false_negatives_when_as_many_are_inspected_as_are_wrong():
    report = report_input()
    table = detection_table(Comparison(report))
    assert table is not None
    assert "as many examples are inspected as are wrong (180" in table.caption
    assert [column.label for column in table.columns][-3:] == ["Precision %", "Recall %", "False negatives"]
    long = report.long_metrics
    missed = long[(long["metric"] == "noise_missed_inspected") & (long["variant"] == "margin")]["value"]
    (line,) = [line for line in table.lines if line.cells[0].text == "margin"]
    assert line.cells[-1].sort == pytest.approx(missed.mean())


def test_baselines_and_what_trained_on_validation_are_marked_in_the_table_and_explained_below(page: str):
    assert "Fine-tuned†‡" in page
    assert "Trusted loss†" in page
    assert "† trained on validation labels: validation cannot judge it; not chosen." in page
    assert "‡ another training that removes nothing" in page
    assert "Trains the base model further on the validation split." in page


def test_where_a_baseline_beats_the_curated_models_the_first_screen_says_so(tmp_path: Path, page: str):
    assert "does better without removing anything" not in page
    better = render_words(report_input(comparison=comparison_rows(gains={"finetuned": 0.3})), tmp_path)
    assert "Fine-tuned does better without removing anything:" in better


@pytest.mark.slow
def test_names_of_classes_are_shown_as_they_are_whatever_signs_they_hold(tmp_path: Path):
    names = ["$x_{$", "猫", "<script>alert(1)</script>", "a" * 300, "line\nbreak", "{{7*7}}", "&", "\x1b[0m", "8", "9"]
    manifest = dict(report_input().manifest) | {"class_names": names}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = render_words(report_input(manifest=manifest), tmp_path)
        picture = picture_of_classes(report_input(manifest=manifest))
    assert "<script>alert" not in page
    assert "$x_{$" in page
    assert "{{7*7}}" in page
    figure = ElementTree.fromstring(picture.svg)  # well-formed
    assert "<script>alert(1)</script>" in "".join(figure.itertext())
