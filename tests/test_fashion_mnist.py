"""Fashion-MNIST: where its files are looked for, what they have to hold, and a small run from data to report."""

import copy
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from workspace import ROOT, Workspace

from heft.data.sources.fashion_mnist import DEBIAN, fashion_mnist, find_files, read_idx
from heft.errors import HeftError

NAMES = list(fashion_mnist.sha256)


def needs_the_package() -> None:
    if not DEBIAN.is_dir():
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")


def put(folder: Path, suffix: str) -> None:
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / f"{name}{suffix}").write_bytes(b"")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file anywhere but under the folder, and a download that fails."""
    module = "heft.data.sources.fashion_mnist"
    monkeypatch.setattr(f"{module}.DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(f"{module}.DOWNLOADS", tmp_path / "downloads")

    def download(root: Path, download: bool) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz:\nno network")

    monkeypatch.setattr("torchvision.datasets.FashionMNIST", download)
    return tmp_path


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("folder", ["data/fashion_mnist", "data/FashionMNIST/raw", "data", "debian"])
def test_the_files_are_found_compressed_or_not(nowhere: Path, folder: str, suffix: str) -> None:
    put(nowhere / folder, suffix)
    files = find_files(nowhere / "data")
    assert files == {name: nowhere / folder / f"{name}{suffix}" for name in NAMES}


def test_the_data_folder_wins_and_a_folder_that_lacks_a_file_is_passed_over(nowhere: Path) -> None:
    put(nowhere / "debian", ".gz")
    put(nowhere / "data/fashion_mnist", ".gz")
    assert find_files(nowhere / "data")[NAMES[0]].parent == nowhere / "data/fashion_mnist"
    (nowhere / f"data/fashion_mnist/{NAMES[2]}.gz").unlink()
    assert find_files(nowhere / "data")[NAMES[0]].parent == nowhere / "debian"


def test_where_the_files_are_nowhere_one_sentence_says_where_and_why(nowhere: Path) -> None:
    with pytest.raises(HeftError) as caught:
        find_files(nowhere / "data")
    said = str(caught.value)
    assert "\n" not in said
    for part in (
        nowhere / "data/fashion_mnist",
        nowhere / "debian",
        "package dataset-fashion-mnist",
        "Error downloading",
    ):
        assert str(part) in said


def test_a_download_is_used(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "torchvision.datasets.FashionMNIST", lambda root, download: put(Path(root) / "FashionMNIST/raw", "")
    )
    assert find_files(None)[NAMES[0]] == nowhere / "downloads/FashionMNIST/raw" / NAMES[0]


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"\0\0\x08\1\0\0\0\1\5"), gzip.compress(b"x" * 999)[:-9], b"no gzip"],
    ids=["other values", "cut off", "not compressed"],
)
def test_other_content_is_refused_in_one_sentence_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"{NAMES[1]}.gz"
    file.write_bytes(content)
    with pytest.raises(HeftError, match=str(file)):
        read_idx(file)


@pytest.mark.slow
def test_the_official_pictures_and_labels_are_read() -> None:
    needs_the_package()
    raw = fashion_mnist(None)
    assert raw.inputs.shape == (70_000, 1, 28, 28)
    official = raw.split == "test"
    assert official.sum() == 10_000
    for part in (official, ~official):
        assert len(set(np.bincount(raw.labels[part]))) == 1
    assert (raw.ids[0], raw.ids[60_000], raw.class_names[raw.labels[0]]) == (
        "fashion_mnist-train-00000",
        "fashion_mnist-test-00000",
        "Ankle boot",
    )
    train = raw.inputs[raw.split != "test"]
    assert abs(float(train.mean())) < 1e-3
    assert float(train.std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_the_experiment_runs_small_from_data_to_report(tmp_path: Path) -> None:
    needs_the_package()
    definitions = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["definitions"]
    definition: dict[str, Any] = copy.deepcopy(definitions["fashion_mnist"])
    definition["data"] |= {"train": 300, "validation": 100, "test": 200}
    definition |= {"seeds": [0], "training": {"epochs": 2}, "methods": ["random", "ip"], "ensembles": []}
    definition |= {"checkpoints": {"spaced": 2, "early": 1}, "fine_tuning": {"epochs": 1}}
    workspace = Workspace(tmp_path, {"experiments": ["fashion_mnist"], "definitions": {"fashion_mnist": definition}})
    workspace.run()
    test = pd.read_parquet(tmp_path / "results/fashion_mnist/seed0/split/test.parquet")
    assert test["id"].str.startswith("fashion_mnist-test-").all()
    page = (tmp_path / "reports/fashion_mnist/index.html").read_text(encoding="utf-8")
    assert "Ankle boot" in page
    assert "T-shirt/top" in page
