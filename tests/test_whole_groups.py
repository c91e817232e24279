"""Groups and sets of near-duplicates are never in two splits; what a data set's own splits repeat is not trained on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_cases import balanced, examples_of

from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError

SMALL = DataSettings(train=100, validation=25, test=25, noise=NoiseSettings(kind="none"), near_duplicates=True)
NAMES = ["cat", "dog", "cow"]


def grouped(sizes: Sequence[int], seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Groups of these sizes, each of one class at random for the most part."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.where(generator.random(len(group)) < 0.7, group % 3, generator.integers(0, 3, len(group)))
    table, inputs = examples_of(labels.tolist())
    return table.assign(group=group), inputs


def facts_of(table: pd.DataFrame, splits: dict[str, pd.DataFrame], settings: DataSettings) -> dict[str, Any]:
    return split_facts(table, splits, settings, 0, NAMES)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("column", ["group", "near_duplicate"])
def test_what_belongs_together_is_in_one_split_of_about_the_asked_size_and_shares(column: str, seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 9, 60)
    table, inputs = grouped(sizes.tolist(), seed)
    table = table.rename(columns={"group": column})
    settings = replace(SMALL, train=0.7, validation=0.15, test=0.15)
    splits = draw_split(table, inputs, settings, seed)
    assert sum(map(len, splits.values())) == len(table)
    number = table.set_index("id")[column]
    sets = {name: set(number[split["id"]]) for name, split in splits.items()}
    assert not sets["train"] & sets["validation"] | sets["train"] & sets["test"] | sets["validation"] & sets["test"]
    overall = table["label"].value_counts(normalize=True)
    for name, share in (("train", 0.7), ("validation", 0.15), ("test", 0.15)):
        assert abs(len(splits[name]) - share * len(table)) <= (8 if name == "train" else 4)
        assert (abs(splits[name]["label"].value_counts(normalize=True) - overall) < 0.1).all()


def test_the_draw_follows_from_ids_and_seed_whatever_the_order_and_each_seed_has_its_own() -> None:
    table, inputs = grouped([3] * 50)
    tests = []
    for seed in range(3):
        splits = draw_split(table, inputs, SMALL, seed)
        again = draw_split(table.sample(frac=1, random_state=seed), inputs, SMALL, seed)
        assert all(split.equals(again[name]) for name, split in splits.items())
        tests.append(tuple(splits["test"]["id"]))
    assert len(set(tests)) == 3


def test_groups_of_one_example_change_no_draw() -> None:
    table, inputs = balanced()
    plain = draw_split(table, inputs, SMALL, 0)
    alone = table.assign(group=np.arange(len(table)), near_duplicate=-1)
    for name, split in draw_split(alone, inputs, SMALL, 0).items():
        assert split.drop(columns="group").equals(plain[name])
    apart = replace(SMALL, keep_groups_together=False, near_duplicates=False)
    together = table.assign(group=0, near_duplicate=0)
    for name, split in draw_split(together, inputs, apart, 0).items():
        assert split.drop(columns="group").equals(plain[name])


def test_sets_that_share_an_example_stay_together() -> None:
    table, inputs = grouped([2] * 75)
    near = np.full(150, -1)
    near[[1, 2]], near[[3, 4]] = 0, 1  # groups 0, 1 and 2
    for seed in range(5):
        splits = draw_split(table.assign(near_duplicate=near), inputs, SMALL, seed)
        holding = [name for name, split in splits.items() if set(split["group"]) & {0, 1, 2}]
        assert len(holding) <= 1


def test_a_group_that_no_split_can_hold_is_one_sentence() -> None:
    table, inputs = grouped([130, *[1] * 20])
    said = (
        r"data\.test: 60 examples are asked for, and \d+ is the nearest that .* \(the largest has 130, x000 among them"
    )
    with pytest.raises(HeftError, match=said):
        draw_split(table, inputs, replace(SMALL, train=30, validation=60, test=60), 0)


def test_each_class_has_a_group_in_each_split_and_the_facts_say_what_that_does_to_sizes() -> None:
    group = np.repeat(np.arange(9), 20)
    table, inputs = examples_of((group % 3).tolist())
    settings = replace(SMALL, train=80, validation=50, test=50)
    splits = draw_split(table.assign(group=group), inputs, settings, 0)
    assert [sorted(set(split["label"])) for split in splits.values()] == [[0, 1, 2]] * 3
    facts = facts_of(table.assign(group=group), splits, settings)
    assert facts["n"] == {"train": 60, "validation": 60, "test": 60}
    assert facts["notes"] == [
        "Groups and sets of duplicates stay whole, so sizes are not those asked for: train 60 (80), validation 60 "
        "(50), test 60 (50)."
    ]


def with_own_splits() -> tuple[pd.DataFrame, np.ndarray]:
    """50 tested on, 40 for validation; of the 60 for training x090 repeats x000, x091 x055, x092 x003."""
    table, inputs = balanced(150)
    table["split"] = np.repeat(["test", "validation", "train"], [50, 40, 60])
    table.loc[90, "content_hash"] = table.loc[0, "content_hash"]
    table["near_duplicate"] = np.where(np.isin(table["row"], [55, 91]), 0, -1)
    table["group"] = np.where(table["row"] == 92, 3, table["row"])
    return table, inputs


def test_what_own_splits_repeat_is_kept_there_listed_and_left_out_of_training() -> None:
    table, inputs = with_own_splits()
    settings = replace(SMALL, train="rest", validation="rest", test="rest")
    splits = draw_split(table, inputs, settings, 0)
    assert {name: len(split) for name, split in splits.items()} == {"test": 50, "validation": 40, "train": 57}
    assert not {"x090", "x091", "x092"} & set(splits["train"]["id"])
    facts = facts_of(table, splits, settings)
    assert facts["leaked"] == [
        {"id": "x090", "like": "x000", "because": "identical"},
        {"id": "x091", "like": "x055", "because": "near-duplicate"},
        {"id": "x092", "like": "x003", "because": "group"},
    ]
    assert facts["notes"][-1] == (
        "3 examples for training that the data set's own validation or test split repeats are left out: x090 "
        "(identical: x000), x091 (near-duplicate: x055), x092 (group: x003); facts.json beside the splits lists all of "
        "them."
    )


def test_what_own_splits_repeat_is_trained_on_where_a_person_says_so_and_still_listed() -> None:
    table, inputs = with_own_splits()
    settings = replace(SMALL, train="rest", validation="rest", test="rest", leave_out_leaked=False)
    splits = draw_split(table, inputs, settings, 0)
    assert {name: len(split) for name, split in splits.items()} == {"test": 50, "validation": 40, "train": 60}
    facts = facts_of(table, splits, settings)
    assert [entry["id"] for entry in facts["leaked"]] == ["x090", "x091", "x092"]
    assert "are trained on (data.leave_out_leaked: false)" in facts["notes"][-1]


def test_a_test_example_is_kept_though_its_copy_for_training_has_the_lower_id() -> None:
    table, inputs = balanced(150)
    table["split"] = np.where(table["row"] >= 100, "test", "train")
    table.loc[120, "content_hash"] = table.loc[7, "content_hash"]
    splits = draw_split(table, inputs, replace(SMALL, train=60, validation=39, test=50), 0)
    assert 120 in set(splits["test"]["row"])
    assert 7 not in {*splits["train"]["row"], *splits["validation"]["row"]}


def test_near_duplicates_are_listed_with_their_labels() -> None:
    table, inputs = balanced(150)
    near = np.full(150, -1)
    near[[0, 4, 9]], near[[7, 20]] = 0, 1
    facts = facts_of(table.assign(near_duplicate=near), draw_split(table, inputs, SMALL, 0), SMALL)
    assert facts["near_duplicates"] == [
        {"ids": ["x000", "x004", "x009"], "labels": [0, 1, 0]},
        {"ids": ["x007", "x020"], "labels": [1, 2]},
    ]
    assert facts["notes"] == [
        "2 sets of near-duplicates, 5 examples: x000 ~ x004 ~ x009, x007 ~ x020. Each set stays in one split; "
        "facts.json beside the splits lists all of them."
    ]
