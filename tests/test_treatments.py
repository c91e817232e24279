"""Under several actions each number is of its own action, and the chosen row is one of all."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_report import comparison_rows, report_input
from test_headline import by_hand, compared, p_of
from treated_report import ACTIONS, RELABEL, treated_report, treated_rows

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import Outcome, choose
from heft.reporting.figures.drawing import style
from heft.reporting.figures.gain import draw_ensemble_gain, draw_plain_gain
from heft.reporting.inputs import ReportInput
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.tables.diverged import diverged_table
from heft.reporting.text.actions import explained, limits, third_person, treated_means
from heft.reporting.text.verdict import judge
from heft.reporting.treatment import Treatment

ROWS = treated_rows()


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison(treated_report(comparison=ROWS.sample(frac=1.0, random_state=0)))


def accuracy(variant: str, action: str, fraction: float) -> np.ndarray:
    matching = ROWS[(ROWS["variant"] == variant) & (ROWS["action"] == action) & (ROWS["fraction"] == fraction)]
    return matching.sort_values("seed")["test_accuracy"].to_numpy()


@pytest.mark.parametrize("action", list(ACTIONS))
def test_gains_and_differences_to_random_are_taken_under_the_same_action(comparison: Comparison, action: str) -> None:
    own, treatment = accuracy("ip", action, 0.2), Treatment(action, 0.2)
    for difference, other in (
        (comparison.gain("ip", treatment), accuracy("none", "", 0.0)),
        (comparison.over_random("ip", treatment), accuracy("random", action, 0.2)),
        (comparison.difference("ip", "loss", treatment), accuracy("loss", action, 0.2)),
    ):
        assert difference.mean == pytest.approx(float((own - other).mean()))
        assert difference.p_value == pytest.approx(stats.ttest_rel(own, other).pvalue)


def test_p_values_are_corrected_over_the_variants_of_one_action(comparison: Comparison) -> None:
    random = accuracy("random", "reweight", 0.1)
    raw = {variant: p_of(accuracy(variant, "reweight", 0.1), random) for variant in compared(ROWS)}
    assert comparison.corrected(Treatment("reweight", 0.1), "random") == pytest.approx(by_hand(raw))


def test_what_acts_on_nothing_has_its_number_under_every_action(comparison: Comparison) -> None:
    tuned = accuracy("finetuned", "", 0.0)
    for treatment in comparison.treatments:
        assert comparison.values("finetuned", treatment).sort_index().to_numpy() == pytest.approx(tuned)
    assert len(comparison.treatments) == 3 * 6
    assert list(comparison.actions) == list(ACTIONS)


def test_validation_chooses_among_all_actions_and_fractions() -> None:
    rows = treated_rows()
    rows["val_loss"], rows["chosen"] = 2.0, rows["chosen"].where(rows["action"] == "", False)
    wanted = (rows["variant"] == "margin") & (rows["action"] == "reweight") & (rows["fraction"] == 0.05)
    rows.loc[wanted, ["val_loss", "chosen"]] = [0.1, True]
    choice = choose(Comparison(treated_report(comparison=rows)))
    assert choice is not None
    assert (choice.variant.slug, choice.treatment) == ("margin", Treatment("reweight", 0.05))


def test_the_first_screen_speaks_of_the_chosen_action(comparison: Comparison) -> None:
    verdict = judge(comparison)
    assert verdict.choice is not None
    slug, treatment = verdict.choice.variant.slug, verdict.choice.treatment
    assert treatment == Treatment("relabel", 0.3)
    before, after = 100 * accuracy("none", "", 0.0).mean(), 100 * accuracy(slug, "relabel", 0.3).mean()
    assert verdict.outcome is Outcome.GAIN
    assert verdict.headline == (
        f"Relabelling the 30\u00a0% of training examples that {verdict.choice.variant.label} ranks lowest raised test "
        f"accuracy from {before:.1f} to {after:.1f}\u00a0%."
    )
    random = 100 * (accuracy("random", "relabel", 0.3) - accuracy("none", "", 0.0)).mean()
    assert "Difference to relabelling nothing: +" in verdict.evidence
    assert f"Relabelling a random 30\u00a0%: {random:+.1f} points.".replace("-", "−") in verdict.evidence
    assert verdict.chosen_how is not None
    assert "and did so at 30\u00a0% relabelled." in verdict.chosen_how
    oracle = 100 * (accuracy("oracle", "relabel", 0.3) - accuracy("none", "", 0.0)).mean()
    assert verdict.ceiling is not None
    assert verdict.ceiling.startswith(f"Relabelling exactly the wrong labels (30\u00a0%) brought {oracle:+.1f} points")
    (rival,) = verdict.rivals
    assert "(nothing treated, trained on validation labels)" in rival.sentence
    assert "at 30\u00a0% relabelled: " in rival.sentence
    assert "each at the action and fraction that validation chose" in rival.sentence


def test_the_table_has_a_line_for_each_action_and_one_is_chosen(comparison: Comparison) -> None:
    table = comparison_table(comparison, judge(comparison))
    assert len(table.lines) == 3 * 20 + 1
    labels = [column.label for column in table.columns]
    of_ip = [line for line in table.lines if line.words.split()[0] == "ip"]
    assert [line.cells[labels.index("Action")].text for line in of_ip] == ["Remove", "Relabel", "Down-weight"]
    for line, action in zip(of_ip, ACTIONS, strict=True):
        gain = accuracy("ip", action, 0.1) - accuracy("none", "", 0.0)
        assert line.cells[labels.index("10\u00a0%")].sort == pytest.approx(gain.mean())
        assert action in line.words.split()
        over = accuracy("ip", action, 0.3) - accuracy("random", action, 0.3)
        assert line.cells[labels.index("Difference")].sort == pytest.approx(over.mean())
    (chosen,) = [line for line in table.lines if line.highlighted]
    assert chosen.cells[labels.index("Action")].text == "Relabel"


def test_one_action_needs_no_column_of_its_own() -> None:
    comparison = Comparison(report_input())
    assert "Action" not in [column.label for column in comparison_table(comparison, judge(comparison)).columns]


@pytest.mark.slow
def test_each_panel_of_a_method_has_a_line_for_each_action_and_ensembles_are_drawn_under_one(
    comparison: Comparison,
) -> None:
    with style():
        plain, ensembles = draw_plain_gain(comparison), draw_ensemble_gain(comparison, "reweight")
    assert plain is not None
    assert ensembles is not None
    assert [plain.svg.count(f">{action.participle}<") for action in ACTIONS.values()] == [1, 1, 1]
    assert "a line for each action" in plain.description
    assert "The lowest-scored examples are down-weighted" in ensembles.description
    assert ensembles.takeaway.startswith("At 30\u00a0% down-weighted, ")


def test_a_model_that_diverged_is_named_with_its_action() -> None:
    report = treated_report()
    relabelled = report.comparison[
        (report.comparison["variant"] == "ip")
        & (report.comparison["action"] == "relabel")
        & (report.comparison["fraction"] == 0.3)
    ]
    said = relabelled[["experiment", "seed", "variant", "action", "fraction"]].assign(metric="diverged", value=1)
    long = pd.concat([report.long_metrics, said[said["seed"] == 2]])
    comparison = Comparison(treated_report(long_metrics=long))
    assert comparison.diverged("ip", Treatment("relabel", 0.3)) == [2]
    assert comparison.diverged("ip", Treatment("remove", 0.3)) == []
    table = diverged_table(comparison)
    assert table is not None
    assert [[cell.text for cell in line.cells] for line in table.lines] == [["ip", "Relabel", "30\u00a0%", "2"]]


def only_relabelled() -> ReportInput:
    return report_input(comparison=treated_rows(("relabel",)), actions={"relabel": RELABEL})


def test_a_class_gain_is_that_of_the_action() -> None:
    comparison = Comparison(treated_report(comparison=ROWS))
    ip = comparison.find("ip")
    assert ip is not None
    long = treated_report(comparison=ROWS).long_metrics
    mine = long[
        (long["metric"] == "test_accuracy_class_4") & (long["action"] == "reweight") & (long["variant"] == "ip")
    ]
    after = mine[mine["fraction"] == 0.05].set_index("seed")["value"]
    before = long[(long["metric"] == "test_accuracy_class_4") & (long["variant"] == "none")].set_index("seed")["value"]
    gain = comparison.class_gain(ip, Treatment("reweight", 0.05), 4)
    assert gain.values == pytest.approx({int(seed): value for seed, value in (after - before).items()})


def test_what_actions_do_and_leave_open_is_said_of_each() -> None:
    actions = list(ACTIONS.values())
    assert [what for what, _ in explained(actions)] == [
        "Removed, retrained", "Relabelled, retrained", "Down-weighted, retrained"
    ]  # fmt: skip
    assert explained(actions)[1][1].startswith(RELABEL.does + " The model is trained again: same initialisation")
    assert treated_means(actions) == "removed, relabelled or down-weighted, as the action says."
    assert treated_means(actions[:1]) == ""
    assert [sentence.split()[0] for sentence in limits(actions)] == ["Removing", "Relabelling", "A", "Down-weighting"]
    assert [third_person(verb) for verb in ("remove", "fix", "watch")] == ["removes", "fixes", "watches"]


def test_actions_that_the_table_does_not_hold_are_left_out_of_every_sentence() -> None:
    comparison = Comparison(report_input(comparison=comparison_rows(), actions=ACTIONS))
    assert list(comparison.actions) == ["remove"]
    assert "nothing removed" in judge(comparison).rivals[0].sentence
    assert Comparison(only_relabelled()).any_action is RELABEL
