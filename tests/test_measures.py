"""Measures against scikit-learn and by hand, and the row that validation chooses by the objective of the measure."""

import numpy as np
import pandas as pd
import pytest
import torch
from measure_cases import FRACTIONS, SPLITS, evaluated, long_form, loss_by_hand, state
from plain_training import N_CLASSES, plain_logits
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from torch.nn.functional import cross_entropy

from heft.curation.plan import unpruned_plan
from heft.data.examples import Examples
from heft.evaluation.measuring import Judge
from heft.evaluation.rows import Evaluated


def macro_loss_by_hand(number: int, split: Examples) -> float:
    losses = cross_entropy(plain_logits(list(state(number).values()), split.inputs), split.labels, reduction="none")
    return float(np.mean([float(losses[split.labels == label].mean()) for label in range(N_CLASSES)]))


def test_measures_are_scikit_learns_in_the_column_of_their_name_or_in_the_long_form() -> None:
    result = evaluated()
    for number, (fraction, row) in enumerate(zip(FRACTIONS, result["rows"], strict=True)):
        predicted = plain_logits(list(state(number).values()), SPLITS.test.inputs).argmax(1)
        balanced = balanced_accuracy_score(SPLITS.test.labels, predicted)
        assert long_form(result)["balanced_accuracy", fraction] == pytest.approx(balanced)
        assert row["test_accuracy"] == pytest.approx(accuracy_score(SPLITS.test.labels, predicted))
        assert balanced != pytest.approx(row["test_accuracy"])
    assert "test_accuracy" not in long_form(result).index.get_level_values("metric")


def test_each_objective_but_the_loss_is_told_of_the_validation_split() -> None:
    measured = long_form(evaluated())
    for number, fraction in enumerate(FRACTIONS):
        expected = macro_loss_by_hand(number, SPLITS.validation)
        assert measured["validation_macro_loss", fraction] == pytest.approx(expected, rel=1e-5)
    assert "validation_loss" not in measured.index.get_level_values("metric")


def test_the_chosen_row_has_the_lowest_value_of_the_objective_that_the_measure_names() -> None:
    by = [loss_by_hand, macro_loss_by_hand, macro_loss_by_hand]
    asked = zip(by, [SPLITS.validation, SPLITS.validation, SPLITS.test], strict=True)
    by_loss, by_macro, by_test = (int(np.argmin([value(k, split) for k in range(5)])) for value, split in asked)
    assert len({by_loss, by_macro, by_test}) == 3
    assert [row["chosen"] for row in evaluated()["rows"]] == [k == by_loss for k in range(5)]
    rows = evaluated(judge=Judge("balanced_accuracy"))["rows"]
    assert [row["chosen"] for row in rows] == [k == by_macro for k in range(5)]
    columns = set(rows[0]) - {"chosen"}  # the numbers do not depend on who judges
    assert [{k: row[k] for k in columns} for row in rows] == [
        {k: row[k] for k in columns} for row in evaluated()["rows"]
    ]


def test_of_equal_values_the_first_row_is_chosen_and_of_a_model_that_diverged_nothing_is_measured() -> None:
    states = {f"remove-{f}/{name}": tensor for f in FRACTIONS for name, tensor in state(0).items()}
    lost = {name: tensor * torch.nan for name, tensor in states.items() if name.startswith("remove-0.1/")}
    result = evaluated(states=states | lost, judge=Judge("balanced_accuracy"))
    assert [row["chosen"] for row in result["rows"]] == [False, True, False, False, False]
    assert (result["rows"][0]["test_accuracy"], result["rows"][0]["val_loss"]) == ("", "")
    assert {metric for metric, f in long_form(result).index if f == 0.1 and not metric.startswith("noise")} == {
        "diverged"
    }


def test_validation_is_silent_of_a_model_that_was_trained_on_it() -> None:
    train = SPLITS.train
    plan = unpruned_plan(pd.DataFrame({"id": train.ids, "label": train.labels}))
    for trains, told in ((True, False), (False, True)):
        who = Evaluated("mine", 0, "finetuned", "finetuned", trains_on_validation=trains)
        result = evaluated(who=who, plan=plan, states={f"unpruned-0/{n}": t for n, t in state(0).items()}, scores=None)
        assert ("validation_macro_loss" in long_form(result).index.get_level_values("metric")) is told
        assert (result["rows"][0]["val_loss"] != "") is told
