"""Exactly round(fraction * n) examples leave, the lowest scores first."""

import numpy as np
import pandas as pd
import pytest
from removal import removal_plan

from heft.curation.declare import ActionContext
from heft.curation.plan import unpruned_plan
from heft.curation.remove import remove
from heft.evaluation.detection import (
    detection_quality,
    inspection_quality,
    precision_at_recall,
    removal_quality,
)


def context(scores: np.ndarray, fraction: float) -> ActionContext:
    """Examples of one class; equal scores leave in the order of their rows."""
    n = len(scores)
    return ActionContext(np.arange(n).astype(str), np.zeros(n, int), scores, np.arange(n), fraction, n_classes=1)


@pytest.mark.parametrize("n", [1, 7, 200, 3000])
@pytest.mark.parametrize("fraction", [0.01, 0.025, 0.1, 0.3, 0.5])
def test_exactly_the_rounded_share_leaves(n: int, fraction: float) -> None:
    assert (~remove(context(np.zeros(n), fraction)).kept).sum() == round(fraction * n)


def test_the_lowest_scores_leave() -> None:
    curated = remove(context(np.array([3.0, -1.0, 2.0, -5.0, 0.0]), 0.4))
    assert curated.kept.tolist() == [True, False, True, False, True]
    assert curated.weight.tolist() == [1, 0, 1, 0, 1]
    assert curated.label.tolist() == [0] * 5


def test_scores_are_matched_by_id_not_by_row() -> None:
    train = pd.DataFrame({"id": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]})
    scores = pd.DataFrame({"id": ["d", "c", "b", "a"], "score": [0.0, 1.0, 2.0, 3.0]})
    plan = removal_plan(train, scores, [0.25, 0.5], seed=0)
    removed = plan[~plan["kept"]].groupby("fraction")["id"].agg(list).to_dict()
    assert removed == {0.25: ["d"], 0.5: ["c", "d"]}
    assert (plan["weight"] == plan["kept"]).all()


def test_an_id_without_a_score_is_an_error() -> None:
    train = pd.DataFrame({"id": ["a", "b"], "label": [0, 1]})
    with pytest.raises(ValueError, match="no score for id b"):
        removal_plan(train, pd.DataFrame({"id": ["a"], "score": [0.0]}), [0.5], seed=0)


def test_the_unpruned_plan_keeps_everything() -> None:
    plan = unpruned_plan(pd.DataFrame({"id": ["a", "b"], "label": [0, 1]}))
    assert plan["kept"].all()
    assert plan["action"].eq("").all()


def test_precision_and_recall_of_a_removal() -> None:
    wrong = np.array([True, True, True, False, False])
    kept = np.array([False, True, True, False, True])
    assert removal_quality(kept, wrong) == {"noise_precision": 0.5, "noise_recall": 1 / 3}


def test_the_precision_recall_curve_never_rises_with_recall() -> None:
    generator = np.random.default_rng(0)
    wrong = generator.random(200) < 0.3
    curve = precision_at_recall(generator.normal(size=200) - wrong, wrong)
    assert curve is not None
    assert len(curve["recall"]) == len(curve["precision"]) == 101
    assert (np.diff(curve["precision"]) <= 0).all()


@pytest.mark.parametrize("levels", [5, 10_000])
def test_detection_agrees_with_scikit_learn_ties_included(levels: int) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    generator = np.random.default_rng(1)
    wrong = generator.random(500) < 0.2
    scores = np.round(generator.random(500) * levels - wrong * levels / 4)
    quality = detection_quality(scores, wrong)
    assert quality["noise_auroc"] == pytest.approx(roc_auc_score(wrong, -scores), abs=1e-12)
    assert quality["noise_ap"] == pytest.approx(average_precision_score(wrong, -scores), abs=1e-12)


@pytest.mark.parametrize(("n_wrong", "known"), [(0, False), (1, True), (4, True), (5, False)])
def test_detection_can_be_told_from_one_wrong_label_to_all_but_one(n_wrong: int, known: bool) -> None:
    scores, wrong = np.array([2.0, -1.0, 0.0, 3.0, 1.0]), np.array([3, 0, 1, 4, 2]) < n_wrong
    assert bool(detection_quality(scores, wrong)) is known
    assert (precision_at_recall(scores, wrong) is not None) is known
    expected = {"n_wrong": n_wrong, "precision_inspected": 1.0, "recall_inspected": 1.0, "missed_inspected": 0}
    quality = inspection_quality(scores, wrong, np.arange(5))
    assert quality == ({f"noise_{name}": value for name, value in expected.items()} if known else {})


def test_a_share_whose_divisor_is_zero_is_left_out() -> None:
    none, some = np.zeros(3, bool), np.array([True, False, False])
    assert removal_quality(~none, some) == {"noise_recall": 0.0}
    assert removal_quality(~some, none) == {"noise_precision": 0.0}
