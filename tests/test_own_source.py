"""A person's own function is a data source: what it may return, what it is called with, and what runs it again."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heft.artifacts import read_json, read_parquet
from heft.data.checked import check_raw_data
from heft.data.inputs import read_inputs
from heft.data.prepare import prepare
from heft.data.reading import raw_data_of
from heft.data.sources.declare import RawData
from heft.errors import HeftError
from heft.own_module import MODULES_VARIABLE
from heft.workflow.planning.code import source_files, stage_code
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_files

UNKNOWN = """
def load(known=False):
    labels = [0, 1] * 3
    return {"inputs": np.eye(6), "labels": labels, **({"true_labels": labels} if known else {})}
"""
OF_A_FILE = """
def load():
    labels = np.loadtxt("a.csv", delimiter=",")
    return {"inputs": np.eye(4), "labels": labels, "files": {"a.csv": "a.csv"}}
"""
Write = Callable[[str, str], str]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a module beside the configuration, and returns the import path of its `load`."""
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def write(module: str, text: str) -> str:
        (tmp_path / f"{module}.py").write_text(f"import numpy as np\n{text}\n")
        return f"{module}:load"

    return write


def plan_of(source: Any, **settings: Any) -> Plan:
    data = {"source": source, "train": 6, "validation": 3, "test": 3, "noise": {"kind": "none"}}
    defaults = {"methods": ["loss"], "fractions": [0.5], "ensembles": []}
    raw = {"experiments": ["mine"], "definitions": {"mine": {"data": data, **defaults, **settings}}}
    return load_plan(raw, [Path("config.yaml")])


X, Y = np.arange(12, dtype=np.float32).reshape(6, 2), [7, 3, 3, 7, 3, 9]


@pytest.mark.parametrize(
    "returned",
    [(X, Y), {"inputs": X, "labels": Y}, RawData(X, Y), (X.tolist(), np.array(Y)), {"inputs": X, "labels": tuple(Y)}],
)
def test_arrays_alone_are_a_data_set_whose_classes_are_its_labels_and_whose_ids_are_its_rows(returned: Any) -> None:
    checked = check_raw_data(raw_data_of(returned, "mine"), "mine")
    assert checked.class_names == ["3", "7", "9"]
    assert checked.labels.tolist() == [1, 0, 0, 1, 0, 2]
    assert checked.ids == [f"000000{row}" for row in range(6)]
    assert checked.modality_facts["name"] == "tables"
    assert np.array_equal(checked.inputs, X)


def test_labels_may_be_texts_and_true_labels_add_classes() -> None:
    given, true = ["dog", "cat", "cat", "dog", "cat", "cat"], ["dog", "cat", "cow", "dog", "cat", "cat"]
    checked = check_raw_data(RawData(X, given, true_labels=true), "mine")
    assert checked.class_names == ["cat", "cow", "dog"]
    assert checked.labels.tolist() == [2, 0, 0, 2, 0, 0]
    assert checked.true_labels is not None
    assert checked.true_labels.tolist() == [2, 0, 1, 2, 0, 0]


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ((X,), r"returned a tuple of 1; expected RawData, \(inputs, labels\), or a dict"),
        ({"inputs": X}, r"returned a dict without 'labels'\."),
        ({"inputs": X, "labels": Y, "label": Y}, r"returned a dict with 'label'; allowed: inputs, labels, ids"),
        ((X, [1, "a", 1, 1, 1, 1]), r"row 1 has the label 'a' \(str\); expected a number, or class_names says what"),
        ((X, ["a", 1, "a", "b", "b", "b"]), r"row 1 has the label 1 \(int\); expected text, as that of row 0 is\."),
        ((X, [None] * 6), r"row 0 has the label None \(NoneType\); expected a number"),
        ((X, [1] * 6), r"class_names has 1 entries \(1\); expected at least 2\."),
        ((X[:5], Y), r"5 inputs, 6 labels and 5 ids do not match\."),
        ((X.reshape(6, 1, 2), Y), r"inputs have shape \(6, 1, 2\), which no modality has; return RawData with a mod"),
    ],
)
def test_what_is_no_data_set_is_one_sentence(returned: Any, sentence: str) -> None:
    with pytest.raises(HeftError, match=f"^Data source mine:? {sentence}"):
        check_raw_data(raw_data_of(returned, "mine"), "mine")


def test_the_function_is_called_with_its_options_and_the_data_folder_if_it_takes_that(own: Write) -> None:
    name = own(
        "folder_data", "def load(n=3, *, data_dir):\n    return np.ones((n, 1, 4, 4)) * len(str(data_dir)), [0, 1] * 2"
    )
    prepare(name, Path("abcde"), Path("out"), {"n": 4})
    manifest, examples = read_json("out/manifest.json"), read_parquet("out/examples.parquet")
    assert (manifest["source"], manifest["origin"], manifest["licence"]) == (name, "", "")
    assert manifest["modality"]["name"] == "images"
    assert (read_inputs("out/inputs.safetensors") == 5).all()
    assert examples["label"].tolist() == [0, 1, 0, 1]
    with pytest.raises(HeftError, match=r"folder_data:load: m is not an option"):
        prepare(name, None, Path("out"), {"m": 4})


def test_a_failure_names_the_persons_file_and_line(own: Write) -> None:
    name = own("failing_data", "def load():\n    return {}['x']")
    with pytest.raises(
        HeftError, match=r"^Data source failing_data:load failed: KeyError: 'x' \(failing_data\.py, line 3\)"
    ):
        prepare(name, None, Path("out"))


def test_a_method_that_needs_true_labels_is_refused_once_the_function_gives_none(own: Write) -> None:
    name = own("unknown_data", UNKNOWN)
    with pytest.raises(
        HeftError, match="gives no true labels, which the method oracle needs; return true_labels, plant"
    ):
        prepare(name, None, Path("out"), needed_by="oracle")
    assert not Path("out").exists()
    prepare(name, None, Path("out"), {"known": True}, needed_by="oracle")
    assert read_json("out/manifest.json")["true_labels"]
    assert plan_of(name, methods=["oracle"]).experiments  # which is known only once it has run


def test_an_option_that_the_function_has_not_stops_before_any_job(own: Write) -> None:
    name = own("options_data", "def load(path='a.csv'):\n    pass")
    assert plan_of({name: {"path": "b.csv"}}).source("mine") == {"name": name, "options": {"path": "b.csv"}}
    with pytest.raises(
        HeftError, match=r"mine\.data\.source\.options_data:load\.pth is not an option; did you mean \"path\""
    ):
        plan_of({name: {"pth": "b.csv"}})
    with pytest.raises(HeftError, match=r'data\.source is "nowhere:load"; no such module'):
        plan_of("nowhere:load")


def test_files_that_the_function_names_run_it_again_when_their_content_changes_and_only_then(own: Write) -> None:
    csv = Path("a.csv")
    csv.write_text("0,1,0,1")
    name = own("files_data", OF_A_FILE)

    def state() -> str:
        return state_of_files(plan_of(name), "mine")

    def run() -> str:
        in_force = state()
        prepare(name, None, Path("results/mine/data"), files=in_force)
        return in_force

    assert state() == run() == state() == ""
    os.utime(csv)
    assert state() == ""
    csv.write_text("0,1,1,1")
    changed = state()
    assert changed
    assert run() == changed == state()
    os.utime(csv, ns=(1, 1))
    assert state() == changed
    csv.unlink()
    assert state() not in ("", changed)
    assert json.loads(Path("results/mine/data/manifest.json").read_text())["read"]["files"].keys() == {"a.csv"}


def test_the_code_of_the_function_and_of_each_modality_that_it_may_have_is_followed(own: Write) -> None:
    plain = own("plain_data", "def load():\n    pass")
    named = own("named_data", "from heft.data.modalities.tables import Tables\ndef load():\n    pass")
    followed = {
        name: set(stage_code(plan_of(name), "mine", "prepare", *source_files(plan_of(name), "mine")))
        for name in (plain, named, "digits")
    }
    of = {
        name: {module.rpartition(".")[2] for module in modules if "modalities." in module}
        for name, modules in followed.items()
    }
    assert of == {
        plain: {"declare", "images", "tables"},
        named: {"declare", "tables"},
        "digits": {"declare", "images"},
    }
    assert "plain_data.py" in followed[plain]
