"""A class that is rare goes to training first, and where it is absent from a split, that is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case, make_case
from data_cases import examples_of
from sklearn.metrics import recall_score

from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError
from heft.evaluation.metrics.declare import Measured, Predicted
from heft.kernels.batch import Batch
from heft.registry import declarations
from heft.training.dynamics import predict

SIZES = DataSettings(train=60, validation=30, test=30, noise=NoiseSettings("none"))


def with_official(labels: list[int], n_official: int | None) -> tuple[pd.DataFrame, np.ndarray]:
    table, inputs = examples_of(labels)
    if n_official is not None:
        table["split"] = np.where(np.arange(len(labels)) < n_official, "test", "train")
    return table, inputs


@pytest.mark.parametrize(
    ("labels", "official", "absent", "note"),
    [
        (
            [0] * 100 + [1] * 98 + [2] * 2,
            None,
            ["validation", "test"],
            "Class 2 (cow), with 2 examples that take part, ",
        ),
        (
            [0, 1] * 20 + [0, 1, 2] * 60,
            40,
            ["test"],
            "Class 2 (cow), with 60 examples that take part, has none in test; ",
        ),
        (
            [0, 1, 2] * 20 + [0, 1] * 60 + [2],
            60,
            ["validation"],
            "Class 2 (cow), with 21 examples that take part, has n",
        ),
        (
            [0, 1, 2] * 20 + [0, 1] * 60,
            60,
            ["train", "validation"],
            "Class 2 (cow), with 20 examples that take part, h",
        ),
    ],
)
def test_a_rare_class_goes_to_training_first_and_is_named_where_it_is_absent(
    labels: list[int], official: int | None, absent: list[str], note: str
) -> None:
    table, inputs = with_official(labels, official)
    names, settings = ["cat", "dog", "cow"], replace(SIZES, test=20)
    splits = draw_split(table, inputs, settings, 0, names)
    facts = split_facts(table, splits, settings, 0, names)
    assert [name for name, split in splits.items() if 2 not in set(split["label"])] == absent[::-1]
    assert facts["absent_classes"] == {name: [2] if name in absent else [] for name in facts["n"]}
    (said,) = facts["notes"]
    assert said.startswith(note)
    assert said.endswith("Models cannot learn it.") == ("train" in absent)


def test_a_class_without_an_example_that_takes_part_is_named() -> None:
    with pytest.raises(
        HeftError, match=r"data: class 2 \(cow\) has no examples that take part; leave it out of class_n"
    ):
        draw_split(*examples_of([0] * 100 + [1] * 100), SIZES, 0, ["cat", "dog", "cow"])


def test_each_class_is_in_each_split_where_it_has_three_examples_and_a_split_as_many_as_classes() -> None:
    table, inputs = examples_of([0] * 290 + [1] * 300 + [2] * 3 + [3] * 10)
    settings = replace(SIZES, test=4, validation=60)
    for seed in range(5):
        splits = draw_split(table, inputs, settings, seed)
        assert {name: len(split) for name, split in splits.items()} == {"train": 60, "validation": 60, "test": 4}
        assert all(set(split["label"]) == {0, 1, 2, 3} for split in splits.values())
    with pytest.raises(HeftError, match=r"data\.test: 3 examples cannot hold each of 4 classes; make it at least 4"):
        draw_split(table, inputs, replace(settings, test=3), 0)


@pytest.fixture(scope="module")
def rare_case() -> Case:
    """Of class 3 there is one training example and none in validation, where class 1 is absent too."""
    case = make_case("mlp")
    labels, held = case.train.labels.clone(), case.validation.labels
    labels[labels == 3] = 2
    labels[0] = 3
    kept = (held != 3) & (held != 1)
    validation = Batch(case.validation.inputs[kept], held[kept])
    return replace(case, train=Batch(case.train.inputs, labels), validation=validation)


@pytest.mark.parametrize("objective", ["loss", "macro_loss"])
@pytest.mark.parametrize("name", sorted(declarations("methods")))
def test_each_method_scores_all_where_a_class_is_rare_and_validation_lacks_it(
    name: str, objective: str, rare_case: Case
) -> None:
    context = rare_case.context(objective=declarations("objectives")[objective].load())
    scores = declarations("methods")[name].load()(context)
    assert scores.shape == (N_TRAIN,)
    assert torch.isfinite(scores).all()


def test_means_over_classes_are_over_those_that_occur(rare_case: Case) -> None:
    model, state, batch = rare_case.model, rare_case.state, rare_case.validation
    logits = predict(model, state, batch.inputs)
    losses = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none")
    expected = torch.stack([losses[batch.labels == label].mean() for label in (0, 2)]).mean()
    torch.testing.assert_close(declarations("objectives")["macro_loss"].load()(model, state, batch), expected)
    seen = Predicted(batch.inputs, batch.labels, logits)
    balanced = declarations("evaluation/metrics")["balanced_accuracy"].load()(Measured(model, state, seen, seen, seen))
    recalls = recall_score(batch.labels, logits.argmax(dim=1), labels=[0, 2], average=None)
    assert balanced == pytest.approx(recalls.mean())
    assert N_CLASSES == 4
