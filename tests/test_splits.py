"""Splits are disjoint, stratified, and follow from ids and seed alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from data_cases import balanced, examples_of

from heft.artifacts import write_parquet
from heft.data.examples import load_examples
from heft.data.prepare import prepare
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError

CLEAN = NoiseSettings(kind="none")


SMALL = DataSettings(train=60, validation=30, test=30, noise=CLEAN)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    prepare("digits", None, folder)
    return folder


def with_official_test(n: int = 150, n_test: int = 50) -> tuple[pd.DataFrame, np.ndarray]:
    """The first examples are the official test set."""
    table, inputs = balanced(n)
    return table.assign(split=np.where(np.arange(n) < n_test, "test", "train")), inputs


def test_an_official_test_set_is_the_only_one_that_is_tested_on() -> None:
    table, inputs = with_official_test()
    settings = replace(SMALL, train=60, validation=30, test=30)
    for seed in range(3):
        splits = draw_split(table, inputs, settings, seed)
        official = {name: set(split["row"] < 50) for name, split in splits.items()}
        assert official == {"test": {True}, "validation": {False}, "train": {False}}
        assert {name: len(split) for name, split in splits.items()} == {"test": 30, "validation": 30, "train": 60}


def test_a_picture_that_the_official_test_set_repeats_is_not_trained_on() -> None:
    table, inputs = with_official_test()
    table.loc[table["row"] == 149, "content_hash"] = table.loc[table["row"] == 3, "content_hash"].item()
    splits = draw_split(table, inputs, replace(SMALL, train=69, validation=30, test=50), 0)
    assert 149 not in {*splits["train"]["row"], *splits["validation"]["row"]}
    assert 3 in set(splits["test"]["row"])


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"test": 51}, "data: test 51 examples, but the part of the data set for test has 50"),
        (
            {"train": 80},
            "data: train 80 . validation 30 = 110 examples, but the part of the data set for train and vali",
        ),
    ],
)
def test_more_than_a_part_of_the_data_set_holds_is_said(sizes: dict[str, int], sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        draw_split(*with_official_test(), replace(SMALL, **sizes), 0)


def test_splits_are_disjoint_stratified_and_of_the_asked_size() -> None:
    splits = draw_split(*balanced(), SMALL, seed=0)
    assert {name: len(split) for name, split in splits.items()} == {"train": 60, "validation": 30, "test": 30}
    assert pd.concat(splits.values())["id"].is_unique
    for split in splits.values():
        assert split["label"].value_counts().nunique() == 1
        assert list(split.columns) == ["id", "row", "label"]
        assert (split["id"].str[1:].astype(int) == split["row"]).all()


def test_a_split_follows_from_ids_whatever_their_order() -> None:
    examples, inputs = balanced()
    shuffled = examples.sample(frac=1, random_state=3)
    for name, split in draw_split(shuffled, inputs, SMALL, seed=1).items():
        pd.testing.assert_frame_equal(split, draw_split(examples, inputs, SMALL, seed=1)[name])


def test_each_seed_draws_its_own_split_and_a_frozen_one_is_that_of_seed_0() -> None:
    frozen = replace(SMALL, resample=["noise", "init"])
    test_ids = [tuple(draw_split(*balanced(), SMALL, seed)["test"]["id"]) for seed in range(3)]
    frozen_ids = [tuple(draw_split(*balanced(), frozen, seed)["test"]["id"]) for seed in range(3)]
    assert len(set(test_ids)) == 3
    assert set(frozen_ids) == {test_ids[0]}


def test_the_test_split_does_not_depend_on_the_sizes_of_the_others() -> None:
    smaller = replace(SMALL, train=30, validation=15)
    assert draw_split(*balanced(), SMALL, 0)["test"].equals(draw_split(*balanced(), smaller, 0)["test"])


def test_exact_duplicates_are_never_in_two_splits() -> None:
    contents = [str(row // 2) for row in range(300)]
    examples, inputs = examples_of([(row // 2) % 3 for row in range(300)], contents)
    splits = draw_split(examples, inputs, replace(SMALL, train=90), seed=0)
    hashes = examples.set_index("id")["content_hash"]
    assert hashes[pd.concat(splits.values())["id"]].is_unique


def test_too_few_examples_names_the_numbers_and_the_duplicates() -> None:
    examples, inputs = examples_of([row % 3 for row in range(120)], [str(row % 90) for row in range(120)])
    with pytest.raises(
        HeftError, match=r"60 \+ validation 30 \+ test 30 = 120 examples.* has 90 \(30 exact duplicates"
    ):
        draw_split(examples, inputs, SMALL, seed=0)


def test_validation_and_test_stay_clean_and_facts_count_the_wrong_labels() -> None:
    settings = replace(SMALL, noise=NoiseSettings(kind="symmetric", rate=0.25))
    examples, inputs = balanced()
    splits = draw_split(examples, inputs, settings, seed=0)
    for name in ("validation", "test"):
        assert (splits[name]["label"] == splits[name]["true_label"]).all()
    facts = split_facts(examples, splits, settings, 0, list("abc"))
    assert facts["n_wrong"] == 15
    assert facts["n"] == {"train": 60, "validation": 30, "test": 30}


def test_examples_are_loaded_in_the_order_of_the_split(digits: Path, tmp_path: Path) -> None:
    split = pd.DataFrame({"id": ["b", "a"], "row": [7, 3], "label": [1, 2], "true_label": [1, 0], "group": [1, 1]})
    write_parquet(tmp_path / "train.parquet", split)
    examples = load_examples(digits, tmp_path / "train.parquet")
    assert examples.ids.tolist() == ["b", "a"]
    assert examples.labels.tolist() == [1, 2]
    assert examples.true_labels.tolist() == [1, 0]
    from heft.data.inputs import read_inputs

    assert torch.equal(examples.inputs, torch.from_numpy(read_inputs(digits / "inputs.safetensors")[[7, 3]]))


def test_a_split_that_names_a_row_beyond_the_data_is_an_error(digits: Path, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "train.parquet", pd.DataFrame({"id": ["a"], "row": [5000], "label": [0], "true_label": [0]})
    )
    with pytest.raises(HeftError, match="names row 5000"):
        load_examples(digits, tmp_path / "train.parquet")
