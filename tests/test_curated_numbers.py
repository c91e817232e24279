"""What an action did is told in numbers: how many labels and weights it changed, and how many labels rightly."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_training import SPEC, examples, plain_logits, start_of
from torch.nn.functional import cross_entropy

from heft.curation.chosen import ChosenAction
from heft.curation.plan import curation_plan
from heft.curation.states import state_name
from heft.evaluation.curated import curated_numbers, relabelling_quality
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant

GIVEN, LABEL, TRUE = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 1, 0, 2]), np.array([0, 1, 0, 1, 0, 1])


def test_precision_is_of_the_changed_labels_and_recall_of_the_wrong_ones() -> None:
    # Changed are rows 1, 2 and 4, of which 1 and 4 rightly; wrong were 1, 2, 4 and 5.
    assert relabelling_quality(GIVEN, LABEL, TRUE) == {
        "n_relabelled": 3, "relabel_precision": 2 / 3, "relabel_recall": 2 / 4,
    }  # fmt: skip


def test_a_share_whose_divisor_is_zero_is_left_out() -> None:
    assert relabelling_quality(GIVEN, GIVEN, TRUE) == {"n_relabelled": 0, "relabel_recall": 0}
    assert relabelling_quality(GIVEN, LABEL, GIVEN) == {"n_relabelled": 3, "relabel_precision": 0}
    assert relabelling_quality(GIVEN, GIVEN, GIVEN) == {"n_relabelled": 0}


def test_a_right_label_that_becomes_wrong_is_not_counted_as_mended() -> None:
    assert relabelling_quality(TRUE, LABEL, TRUE) == {"n_relabelled": 2, "relabel_precision": 0}


def test_only_what_an_action_may_change_is_told() -> None:
    kept = np.array([True, True, False, True, True, True])
    block = pd.DataFrame({"kept": kept, "label": LABEL, "weight": [1, 0.5, 0, 0.25, 1, 1]})
    assert curated_numbers(block, GIVEN, TRUE, ["kept"]) == {}
    assert curated_numbers(block, GIVEN, TRUE, ["weight"]) == {"n_reweighted": 2}
    assert curated_numbers(block, GIVEN, TRUE, ["label"])["n_relabelled"] == 3


SPLITS = Splits(examples(24), examples(16, seed=1, prefix="v"), examples(20, seed=2, prefix="t"))
ACTIONS = [ChosenAction("reweight"), ChosenAction("relabel"), ChosenAction("remove")]
FRACTIONS = [0.125, 0.25, 0.5]


@pytest.fixture(scope="module")
def evaluation() -> dict[str, Any]:
    """Nine models, each with parameters of its own; the true classes are what folds predict of every second example."""
    train = SPLITS.train
    table = pd.DataFrame({"id": train.ids, "label": train.labels, "true_label": train.true_labels})
    scores = pd.DataFrame({"id": train.ids, "score": np.arange(24.0)})  # the six wrong labels stand first
    sure = 0.9 * np.eye(3)[train.true_labels] * (np.arange(24) % 2)[:, None]
    probabilities = pd.DataFrame({"id": train.ids, **{str(label): sure[:, label] for label in range(3)}})
    plan = curation_plan(table, scores, ACTIONS, FRACTIONS, 0, 3, probabilities={"relabel": {"folds": probabilities}})
    states = {
        f"{state_name(action, fraction)}/{name}": tensor
        for number, (action, fraction) in enumerate(plan[["action", "fraction"]].drop_duplicates().to_numpy())
        for name, tensor in start_of(number).items()
    }
    named = Evaluated("mine", 3, "ip", "ip")
    return evaluate_variant(
        named, SPEC.build(0), states, plan, SPLITS, scores, {"retrain_cpu_seconds": 2.0}, actions=ACTIONS,
        further_cpu_seconds={"relabel": 11.5, "remove": 0.0},
    )  # fmt: skip


def test_one_row_is_chosen_over_all_actions_and_fractions(evaluation: dict[str, Any]) -> None:
    validation = SPLITS.validation
    losses = [
        float(cross_entropy(plain_logits(list(start_of(number).values()), validation.inputs), validation.labels))
        for number in range(9)
    ]
    assert [row["chosen"] for row in evaluation["rows"]] == [number == int(np.argmin(losses)) for number in range(9)]
    assert [row["action"] for row in evaluation["rows"]] == ["reweight"] * 3 + ["relabel"] * 3 + ["remove"] * 3


def test_further_models_are_charged_to_each_row_of_the_action_that_needs_them(evaluation: dict[str, Any]) -> None:
    charged = {row["action"]: row["retrain_cpu_seconds"] for row in evaluation["rows"]}
    assert charged == {"reweight": 2.0, "relabel": 13.5, "remove": 2.0}
    assert {row["retrain_cpu_seconds"] for row in evaluation["rows"][3:6]} == {13.5}


def test_what_was_removed_has_columns_and_what_else_was_changed_is_in_long_form(evaluation: dict[str, Any]) -> None:
    long = {(entry["action"], entry["fraction"], entry["metric"]): entry["value"] for entry in evaluation["long"]}
    assert len(evaluation["rows"]) == 9
    for row in evaluation["rows"]:
        n, key = round(row["fraction"] * 24), (row["action"], row["fraction"])
        caught = min(n, 6)
        removed = row["action"] == "remove"
        assert row["n_removed"] == (n if removed else 0)
        assert row["noise_precision"] == (caught / n if removed else "")
        assert row["noise_recall"] == (caught / 6 if removed else "")
        assert long.get((*key, "n_reweighted")) == (n if row["action"] == "reweight" else None)
        mended = caught // 2
        expected = {"n_relabelled": mended, "relabel_precision": 1.0, "relabel_recall": mended / 6}
        for metric, value in expected.items():
            assert long.get((*key, metric)) == (value if row["action"] == "relabel" else None)
        assert row["noise_auroc"] == 1.0  # of the scores, whatever is done
