"""Sizes of splits are counts, shares of the examples that take part, or what remains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_cases import balanced, examples_of

from heft.data.settings import DataSettings, NoiseSettings
from heft.data.sizes import asked_sizes
from heft.data.split import draw_split
from heft.errors import HeftError
from heft.workflow.planning.disk_space import needed_bytes
from heft.workflow.planning.plan import Plan, load_plan

CLEAN = DataSettings(train=60, validation=30, test=30, noise=NoiseSettings("none"))
PARTS = ("test", "validation", "train")


def sizes(n: int, train: object, validation: object, test: object, parts: tuple[str, ...] = PARTS) -> dict[str, int]:
    asked = replace(CLEAN, train=train, validation=validation, test=test)  # type: ignore[arg-type]
    return asked_sizes(asked, parts, n)


@pytest.mark.parametrize("n", [3, 10, 101, 1001])
def test_shares_that_add_up_to_one_take_all_and_others_are_rounded(n: int) -> None:
    if n > 3:
        assert sum(sizes(n, 0.7, 0.15, 0.15).values()) == n
    assert sizes(1001, 0.7, 0.15, 0.15) == {"test": 150, "validation": 150, "train": 701}
    assert sizes(1000, 0.5, 0.2, 0.1) == {"test": 100, "validation": 200, "train": 500}
    assert sizes(n, 1, 1, 1) == {"test": 1, "validation": 1, "train": 1}


def test_the_rest_is_what_counts_or_shares_leave_in_each_part() -> None:
    assert sizes(100, "rest", 20, 10) == {"test": 10, "validation": 20, "train": 70}
    assert sizes(100, 0.5, 0.2, "rest") == {"test": 30, "validation": 20, "train": 50}
    assert sizes(40, "rest", "rest", "rest", ("test",)) == {"test": 40}
    with pytest.raises(
        HeftError, match=r'data: train and validation are "rest" of the same examples; one split may be'
    ):
        sizes(40, "rest", "rest", "rest", ("validation", "train"))


@pytest.mark.parametrize(
    ("n", "asked", "sentence"),
    [
        (
            4,
            (0.8, 0.1, 0.1),
            r"data\.test: 0\.1 of 4 examples that train and validation and test share is none; give co",
        ),
        (
            50,
            ("rest", 30, 20),
            r"data\.train: rest of 50 examples that train and validation and test share is none; giv",
        ),
    ],
)
def test_too_few_examples_for_a_split_are_one_sentence(n: int, asked: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        sizes(n, *asked)


def test_shares_are_of_what_takes_part_after_duplicates_and_the_test_split_is_that_of_its_count() -> None:
    contents = [str(row % 100) for row in range(150)]
    table, inputs = examples_of([row % 5 for row in range(150)], contents)
    shares = replace(CLEAN, train=0.7, validation=0.1, test=0.2)
    splits = draw_split(table, inputs, shares, 0)
    assert {name: len(split) for name, split in splits.items()} == {"test": 20, "validation": 10, "train": 70}
    assert splits["test"].equals(draw_split(table, inputs, replace(CLEAN, train=5, validation=5, test=20), 0)["test"])


def plan_of(train: object, validation: object, test: object, **settings: object) -> Plan:
    data = {"source": "digits", "train": train, "validation": validation, "test": test}
    definition = {"data": data, **settings}
    return load_plan({"experiments": ["small"], "definitions": {"small": definition}}, [Path("small.yaml")])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((0.7, 0.2, 100), "data: train 0.7, validation 0.2, test 100 mixes counts and shares; give a count for each"),
        ((0.7, 0.2, 0.2), "data: train 0.7, validation 0.2, test 0.2 add up to 1.1; shares add up to at most 1"),
        ((300, 100, 1.5), "data.test is 1.5; it must be "),
        ((300, 100, 0), "data.test is 0; it must be above 0"),
        (("all", 100, 100), 'data.train is "all"'),
    ],
)
def test_sizes_that_make_no_sense_are_one_sentence_before_a_run(asked: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        plan_of(*asked)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("small.yaml: definitions.small.")


def test_a_plan_copes_with_sizes_that_are_not_known_yet() -> None:
    shape = {"n": 1000, "input_shape": [1, 8, 8], "n_classes": 10}
    by_size = {size: needed_bytes(plan_of(size, *others), "small", shape, 1000, 1)
               for size, *others in ((500, 100, 100), (0.5, 0.1, 0.1), ("rest", 100, 100))}  # fmt: skip
    assert by_size[500] == by_size[0.5] < by_size["rest"]
    assert plan_of(0.5, 0.2, 0.2, fractions=[0.0001]).experiments["small"].fractions == [0.0001]
    assert plan_of("rest", 0.2, 0.2).data("small")["train"] == "rest"


def test_a_size_that_is_the_number_of_classes_holds_each() -> None:
    table, inputs = balanced(60)
    splits = draw_split(table, inputs, replace(CLEAN, train=0.9, validation=0.05, test=0.05), 0)
    assert [sorted(set(split["label"])) for split in splits.values()] == [[0, 1, 2]] * 3
    assert np.unique([len(splits["test"]), len(splits["validation"])]).tolist() == [3]
