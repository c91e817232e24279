"""A class that is rare goes to training first, and where it is absent from a split, that is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from data_cases import examples_of

from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError

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
