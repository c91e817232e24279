"""Rows of the comparison table against logits, losses and counts taken by hand."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from plain_training import N_CLASSES, SPEC, examples, plain_logits, start_of
from removal import REMOVE, removal_plan
from sklearn.metrics import roc_auc_score

from heft.curation.plan import unpruned_plan
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant

SPLITS = Splits(examples(24), examples(16, seed=1, prefix="v"), examples(20, seed=2, prefix="t"))
FRACTIONS = [0.125, 0.25, 0.5]
COST = {"score_cpu_seconds": 2.0, "score_peak_mb": 3.0, "forward_passes": 4.0, "retrain_cpu_seconds": 5.0}
EVALUATED = Evaluated("mine", 3, "ip-damping_1", "ip", options={"damping": 1, "b": [2]})
SCORES = np.random.default_rng(0).permutation(24) - 11.5


def table_of(split: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": split.ids, "label": split.labels, "true_label": split.true_labels})


def removed_by_hand(fraction: float) -> np.ndarray:
    """[n_train] bool: whose score is among the lowest; all scores differ."""
    return np.argsort(np.argsort(SCORES)) < fraction * 24


@cache
def state_by_hand(number: int) -> dict[str, torch.Tensor]:
    return {name: 3 * tensor for name, tensor in start_of(number).items()}


def measured_by_hand(number: int, split: Any) -> tuple[float, float]:
    """Mean cross-entropy in nats, and accuracy, of a state on a split."""
    logits = plain_logits(list(state_by_hand(number).values()), split.inputs).double().numpy()
    labels = split.labels.numpy()
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]
    return float(losses.mean()), float((logits.argmax(1) == labels).mean())


def evaluation(evaluated: Evaluated = EVALUATED, **changes: Any) -> dict[str, Any]:
    """The three removals, with the rows of scores and plan in another order than those of the training split."""
    order = np.random.default_rng(1).permutation(24)
    scores = pd.DataFrame({"id": SPLITS.train.ids, "score": SCORES})
    plan = removal_plan(table_of(SPLITS.train), scores, FRACTIONS, seed=0)
    plan = pd.concat([block.iloc[order] for _, block in plan.groupby("fraction")])
    states = {
        f"remove-{fraction}/{name}": tensor
        for number, fraction in enumerate(FRACTIONS)
        for name, tensor in state_by_hand(number).items()
    }
    given = {"states": states, "plan": plan, "splits": SPLITS, "scores": scores.iloc[order[::-1]], "cost": COST}
    given["actions"] = REMOVE
    return evaluate_variant(evaluated, SPEC.build(0), **(given | changes))


def test_losses_and_accuracies_are_those_of_the_split_that_a_column_names() -> None:
    result = evaluation()
    assert len(result["rows"]) == len(FRACTIONS)
    for number, row in enumerate(result["rows"]):
        validation, test, train = (
            measured_by_hand(number, split) for split in (SPLITS.validation, SPLITS.test, SPLITS.train)
        )
        assert len({*validation, *test, *train}) == 6  # no split could stand in for another
        long = {entry["metric"]: entry["value"] for entry in result["long"] if entry["fraction"] == FRACTIONS[number]}
        assert row["val_loss"] == pytest.approx(validation[0], rel=1e-5)
        assert (row["test_loss"], row["test_accuracy"]) == pytest.approx(test, rel=1e-5)
        assert long["validation_accuracy"] == pytest.approx(validation[1])
        assert (long["train_loss"], long["train_accuracy"]) == pytest.approx(train, rel=1e-5)


def test_the_chosen_row_is_that_of_the_lowest_validation_loss_whatever_test_says() -> None:
    best = {
        name: int(np.argmin([measured_by_hand(k, getattr(SPLITS, name))[0] for k in range(3)]))
        for name in ("train", "validation", "test")
    }
    assert len(set(best.values())) == 3  # each split would choose another row
    assert [row["chosen"] for row in evaluation()["rows"]] == [k == best["validation"] for k in range(3)]


def test_scores_and_plan_are_matched_with_the_training_split_by_id() -> None:
    wrong = (SPLITS.train.labels != SPLITS.train.true_labels).numpy()
    for fraction, row in zip(FRACTIONS, evaluation()["rows"], strict=True):
        removed = removed_by_hand(fraction)
        assert row["n_removed"] == removed.sum() == fraction * 24
        assert row["noise_precision"] == pytest.approx((removed & wrong).sum() / removed.sum())
        assert row["noise_recall"] == pytest.approx((removed & wrong).sum() / wrong.sum())
        assert row["noise_auroc"] == pytest.approx(roc_auc_score(wrong, -SCORES))


def test_what_an_inspection_of_the_lowest_scores_finds_and_misses_is_counted_by_id() -> None:
    wrong = (SPLITS.train.labels != SPLITS.train.true_labels).numpy()
    inspected = np.argsort(np.argsort(SCORES)) < wrong.sum()
    long = pd.DataFrame(evaluation()["long"]).set_index(["metric", "fraction"])["value"]
    for fraction in FRACTIONS:
        assert long["noise_n_wrong", fraction] == wrong.sum() == 6
        assert long["noise_recall_inspected", fraction] == pytest.approx((inspected & wrong).sum() / 6)
        assert long["noise_precision_inspected", fraction] == pytest.approx((inspected & wrong).sum() / 6)
        assert long["noise_missed_inspected", fraction] == (wrong & ~inspected).sum()


def test_the_precision_recall_curve_is_that_of_the_scores_by_id() -> None:
    wrong = (SPLITS.train.labels != SPLITS.train.true_labels).numpy()
    caught = np.cumsum(wrong[np.argsort(SCORES)])
    precision, recall = caught / np.arange(1, 25), caught / 6
    curve = evaluation()["precision_recall"]
    assert curve["recall"][50] == 0.5
    assert curve["precision"][50] == pytest.approx(precision[recall >= 0.5].max())
    assert curve["precision"][100] == pytest.approx(precision[recall >= 1].max())


def test_accuracy_by_class_is_of_the_test_examples_of_that_class() -> None:
    long = pd.DataFrame(evaluation()["long"]).set_index(["metric", "fraction"])["value"]
    for number, fraction in enumerate(FRACTIONS):
        predicted = plain_logits(list(state_by_hand(number).values()), SPLITS.test.inputs).argmax(1)
        for label in range(N_CLASSES):
            of_class = SPLITS.test.labels == label
            expected = float((predicted[of_class] == label).double().mean())
            assert long[f"test_accuracy_class_{label}", fraction] == pytest.approx(expected)


def test_a_row_says_what_it_is_and_what_it_cost() -> None:
    for fraction, row in zip(FRACTIONS, evaluation()["rows"], strict=True):
        assert [row[name] for name in ("experiment", "seed", "variant", "method", "ensemble", "members")] == [
            "mine", 3, "ip-damping_1", "ip", "", 1,
        ]  # fmt: skip
        assert json.loads(row["options"]) == {"damping": 1, "b": [2]}
        assert (row["action"], row["fraction"]) == ("remove", fraction)
        assert COST.items() <= row.items()
        assert row["lds"] == ""  # what was not measured is empty


def test_validation_chooses_no_row_of_scores_that_were_trained_on_it_and_still_tells_their_loss() -> None:
    result = evaluation(replace(EVALUATED, trains_on_validation=True))
    assert [row["chosen"] for row in result["rows"]] == ["", "", ""]
    for number, row in enumerate(result["rows"]):
        assert row["val_loss"] == pytest.approx(measured_by_hand(number, SPLITS.validation)[0], rel=1e-5)
    said = [entry for entry in result["long"] if entry["metric"] == "trains_on_validation"]
    assert [(entry["fraction"], entry["value"]) for entry in said] == [(fraction, 1) for fraction in FRACTIONS]
    assert not [entry for entry in evaluation()["long"] if entry["metric"] == "trains_on_validation"]


@pytest.mark.parametrize("trains_on_validation", [False, True])
def test_an_unpruned_model_has_no_scores_and_validation_is_silent_of_one_trained_on_it(
    trains_on_validation: bool,
) -> None:
    states = {f"unpruned-0/{name}": tensor for name, tensor in state_by_hand(0).items()}
    (row,), long, curve = evaluation(
        Evaluated("mine", 3, "none", "none", trains_on_validation=trains_on_validation),
        states=states,
        plan=unpruned_plan(table_of(SPLITS.train)),
        scores=None,
        cost={"retrain_cpu_seconds": 5.0},
    ).values()
    assert (row["action"], row["fraction"], row["n_removed"], curve) == ("", 0.0, 0, None)
    assert [row[name] for name in ("noise_auroc", "noise_precision", "score_cpu_seconds")] == ["", "", ""]
    expected = "" if trains_on_validation else pytest.approx(measured_by_hand(0, SPLITS.validation)[0], rel=1e-5)
    assert (row["val_loss"], row["chosen"]) == (expected, "" if trains_on_validation else True)
    assert not any(entry["metric"].startswith("noise_") for entry in long)
