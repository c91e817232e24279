"""A source that fails is one sentence with its place; what another one returned is what `prepare` writes, converted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from heft.artifacts import read_json, read_parquet
from heft.data.inputs import read_inputs
from heft.data.modalities.declare import read_back
from heft.data.modalities.images import Images
from heft.data.prepare import prepare
from heft.data.reading import read_source
from heft.data.settings import DataSettings, NoiseSettings
from heft.declaration import Declaration, read_declaration
from heft.errors import HeftError
from heft.registry import added_folder
from heft.variants import Scorer
from heft.workflow.configuration.known_labels import check_known_labels

SOURCE = '''"""{name}: a source of a test."""

from pathlib import Path

import numpy as np

from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData, source


@source(origin="a test", licence="none", sha256={{}})
def {name}(data_dir: Path | None) -> RawData:
    """Does what the test says."""
    {body}
'''


@pytest.fixture
def declared(tmp_path: Path) -> Callable[[str, str], Declaration]:
    """Writes a source of that name and body, and returns its declaration."""

    def write(name: str, body: str) -> Declaration:
        (tmp_path / f"{name}.py").write_text(SOURCE.format(name=name, body=body))
        declaration = read_declaration(tmp_path / f"{name}.py", "data/sources")
        assert declaration is not None
        return declaration

    return write


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise ValueError('column 3\\nof many.')", r"failed: ValueError: column 3 \(odd\.py, line 14\)\.$"),
        ("return {}['labels']", r"failed: KeyError: 'labels' \(odd\.py, line 14\)\.$"),
        ("np.load('nowhere.npy')", r"failed: FileNotFoundError: .*nowhere\.npy' \(odd\.py, line 14\)\.$"),
        ("raise SystemExit(3)", r"failed: SystemExit: 3 \(odd\.py, line 14\)\.$"),
        ("raise AssertionError", r"failed: AssertionError: without a message \(odd\.py, line 14\)\.$"),
        ("import not_there", r"failed: ModuleNotFoundError: No module named 'not_there' \(odd\.py, line 14\)\.$"),
        (
            "return np.zeros(3)",
            r"returned ndarray; expected RawData, \(inputs, labels\), or a dict of its fields: .*\.$",
        ),
        ("return None", r"returned NoneType; expected RawData, .*\.$"),
    ],
)
def test_a_source_that_fails_or_returns_something_else_is_one_sentence(
    declared: Callable[[str, str], Declaration], body: str, sentence: str
) -> None:
    with pytest.raises(HeftError, match=f"^Data source odd {sentence}"):
        read_source(declared("odd", body), None)


def test_a_fault_of_the_machine_and_a_sentence_of_the_source_stay_what_they_are(
    declared: Callable[[str, str], Declaration],
) -> None:
    with pytest.raises(MemoryError):
        read_source(declared("large", "raise MemoryError('3 TiB')"), None)
    with pytest.raises(PermissionError):
        read_source(declared("closed", "raise PermissionError(13, 'Permission denied', 'a.csv')"), None)
    body = "from heft.errors import HeftError; raise HeftError('put a.csv there.')"
    with pytest.raises(HeftError, match=r"^put a\.csv there\.$"):
        read_source(declared("missing", body), None)


def test_prepare_writes_what_was_converted(
    declared: Callable[[str, str], Declaration], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "return RawData(np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1), [0, 1] * 3, range(3, 9), (8, np.int8(9)), {},"
        " Images(np.float32(0.5), np.ones(1)), split=['test', 'train'] * 3)"
    ).replace("range(3, 9)", "list(range(3, 9))")
    declaration = declared("converted_source", body)
    monkeypatch.setattr("heft.data.prepare.find", lambda room, name: declaration)
    prepare("converted_source", None, tmp_path / "data")
    examples, manifest = read_parquet(tmp_path / "data/examples.parquet"), read_json(tmp_path / "data/manifest.json")
    assert examples["id"].tolist() == ["3", "4", "5", "6", "7", "8"]
    assert examples["label"].dtype == np.int64
    assert examples["split"].tolist() == ["test", "train"] * 3
    assert read_inputs(tmp_path / "data/inputs.safetensors").ravel().tolist() == [0, 1, 2, 3, 4, 5]
    assert manifest["class_names"] == ["8", "9"]
    assert manifest["modality"] == {"name": "images", "mean": 0.5, "std": [1.0]}
    assert read_back(manifest["modality"]) == Images(0.5, [1.0])


@pytest.mark.parametrize(("declares", "gives"), [(True, False), (False, True)])
def test_a_declaration_of_true_labels_that_does_not_hold_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declares: bool, gives: bool
) -> None:
    labels = ", true_labels=[0, 1] * 3" if gives else ""
    text = SOURCE.format(name="claims", body=f"return RawData(np.eye(6), [0, 1] * 3{labels})")
    (tmp_path / "claims.py").write_text(text.replace("sha256={})", f"sha256={{}}, true_labels={declares})"))
    declaration = read_declaration(tmp_path / "claims.py", "data/sources")
    monkeypatch.setattr("heft.data.prepare.find", lambda room, name: declaration)
    says = (
        "says true_labels=True, but it gives none" if declares else "does not say true_labels=True, but it gives some"
    )
    with pytest.raises(HeftError, match=rf"^Data source claims: its declaration {says}\.$"):
        prepare("claims", None, tmp_path / "data")


def test_a_source_that_declares_true_labels_lets_oracle_run_without_planted_noise(
    tmp_path: Path,
) -> None:
    text = SOURCE.format(name="truthful", body="return None").replace("sha256={})", "sha256={}, true_labels=True)")
    (tmp_path / "truthful.py").write_text(text)
    scorers = {"oracle": Scorer("oracle")}
    with added_folder("data/sources", tmp_path):
        check_known_labels(scorers, DataSettings("truthful", noise=NoiseSettings("none")), "mine")
        with pytest.raises(HeftError, match=r"mine\.methods has oracle, which needs true labels: .* digits gives none"):
            check_known_labels(scorers, DataSettings("digits", noise=NoiseSettings("none")), "mine")
        check_known_labels(scorers, DataSettings("digits"), "mine")
