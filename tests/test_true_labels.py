"""True labels are planted over, given by the source, or not known; each reaches splits, facts and numbers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from heft.curation.chosen import ChosenAction
from heft.data.checked import check_raw_data
from heft.data.examples import Examples
from heft.data.prepare import examples_table
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.sources.declare import RawData
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant
from heft.workflow.results.gather import share_of_wrong_labels

N = 120
CLEAN = DataSettings(train=60, validation=30, test=30, noise=NoiseSettings("none"))
PLANTED = replace(CLEAN, noise=NoiseSettings("pairs", 0.25))


def table_of(**fields: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """Three classes in turn, every tenth label wrong where true labels are asked for."""
    true = np.arange(N) % 3
    given = np.where(np.arange(N) % 10 == 4, (true + 1) % 3, true) if "true_labels" in fields else true
    inputs = np.arange(N, dtype=np.float32)[:, None]
    raw = RawData(inputs, given, **(fields | ({"true_labels": true} if "true_labels" in fields else {})))
    return examples_table(check_raw_data(raw, "mine"), [str(row) for row in range(N)]), inputs


def test_without_noise_and_true_labels_nothing_is_known() -> None:
    table, inputs = table_of()
    splits = draw_split(table, inputs, CLEAN, 0)
    assert all("true_label" not in split for split in splits.values())
    facts = split_facts(table, splits, CLEAN, 0, list("abc"))
    assert facts["n_wrong"] is None
    assert share_of_wrong_labels(facts, {"true_labels": False}) is None


def test_planted_noise_alone_takes_what_was_given_for_the_truth() -> None:
    table, inputs = table_of()
    splits = draw_split(table, inputs, PLANTED, 0)
    facts = split_facts(table, splits, PLANTED, 0, list("abc"))
    assert (facts["n_wrong"], share_of_wrong_labels(facts, {"true_labels": False})) == (15, 0.25)


def test_real_wrong_labels_are_counted_in_training_and_the_test_split_has_true_ones() -> None:
    table, inputs = table_of(true_labels=True)
    splits = draw_split(table, inputs, CLEAN, 0)
    given = table.set_index("id")["label"]
    for name in ("train", "validation"):
        assert splits[name]["label"].tolist() == given[splits[name]["id"]].tolist()
        assert (splits[name]["true_label"] == splits[name]["row"] % 3).all()
    assert (splits["test"]["label"] == splits["test"]["row"] % 3).all()
    assert (given[splits["test"]["id"]].to_numpy() != splits["test"]["label"]).any()
    facts = split_facts(table, splits, CLEAN, 0, list("abc"))
    wrong = int((splits["train"]["label"] != splits["train"]["true_label"]).sum())
    assert 0 < facts["n_wrong"] == wrong
    assert share_of_wrong_labels(facts, {"true_labels": True}) == wrong / 60


def test_noise_that_is_planted_over_wrong_labels_changes_given_ones_and_no_true_one() -> None:
    before, after = (draw_split(*table_of(true_labels=True), settings, 0)["train"] for settings in (CLEAN, PLANTED))
    assert after["true_label"].tolist() == before["true_label"].tolist()
    assert (after["label"] != before["label"]).sum() == 15
    changed = after["label"] != before["label"]
    assert (after["label"][changed] == (before["label"][changed] + 1) % 3).all()


def test_groups_go_into_every_split_as_numbers() -> None:
    table, inputs = table_of(groups=["b" if row % 4 else "a" for row in range(N)])
    apart = replace(PLANTED, keep_groups_together=False)
    for split in draw_split(table, inputs, apart, 0).values():
        assert list(split.columns) == ["id", "row", "label", "true_label", "group"]
        assert (split["group"] == (split["row"] % 4 > 0)).all()


def test_a_split_of_its_own_may_name_validation_too() -> None:
    parts = np.array(["train"] * 70 + ["validation"] * 30 + ["test"] * 20)
    table, inputs = table_of(split=parts)
    settings = replace(CLEAN, train=60, validation=30, test=20)
    for name, split in draw_split(table, inputs, settings, 0).items():
        assert set(parts[split["row"]]) == {name}
    with pytest.raises(HeftError, match="validation 31 examples, but the part of the data set for validation has 30"):
        draw_split(table, inputs, replace(settings, validation=31), 0)
    only_train = parts[parts != "test"].tolist() + ["train"] * 20
    drawn = draw_split(*table_of(split=only_train), settings, 0)
    assert set(np.array(only_train)[drawn["test"]["row"]]) == {"train"}


def evaluated(true_labels: torch.Tensor | None) -> dict[str, Any]:
    labels = torch.tensor([0, 1, 0, 1])
    split = Examples(np.array(list("abcd")), torch.eye(4), labels, true_labels)
    removed = {"action": "remove", "kept": [False, True, True, True], "label": labels, "weight": [0.0, 1.0, 1.0, 1.0]}
    relabelled = {"action": "relabel", "kept": True, "label": [1, 1, 0, 1], "weight": 1.0}
    plan = pd.concat(
        pd.DataFrame({"id": list("abcd"), "fraction": 0.25, **decisions}) for decisions in (removed, relabelled)
    )
    weights = {"weight": torch.zeros(2, 4), "bias": torch.zeros(2)}
    states = {f"{action}-0.25/{name}": tensor for action in ("remove", "relabel") for name, tensor in weights.items()}
    scores = pd.DataFrame({"id": list("abcd"), "score": [0.0, 1.0, 2.0, 3.0]})
    splits = Splits(split, split, split)
    loss = Evaluated("e", 0, "loss", "loss")
    actions = [ChosenAction("remove", {}), ChosenAction("relabel", {})]
    return evaluate_variant(loss, torch.nn.Linear(4, 2), states, plan, splits, scores, {}, actions=actions)


def test_wrong_labels_are_measured_where_they_are_known_and_nothing_is_said_where_not() -> None:
    known, unknown = evaluated(torch.tensor([1, 1, 0, 1])), evaluated(None)
    columns = ("noise_precision", "noise_recall", "noise_auroc", "noise_ap")
    assert [known["rows"][0][name] for name in columns] == [1.0, 1.0, 1.0, 1.0]
    assert [unknown["rows"][0][name] for name in columns] == [""] * 4
    assert unknown["precision_recall"] is None
    of_noise = [[row for row in result["long"] if row["metric"].startswith("noise_")] for result in (known, unknown)]
    assert of_noise[0]
    assert of_noise[1] == []
    assert unknown["rows"][0]["test_loss"] == known["rows"][0]["test_loss"]
    relabelling = [
        {row["metric"]: row["value"] for row in long if "relabel" in row["metric"]}
        for long in (known["long"], unknown["long"])
    ]
    assert relabelling == [{"n_relabelled": 1, "relabel_precision": 1, "relabel_recall": 1}, {"n_relabelled": 1}]
