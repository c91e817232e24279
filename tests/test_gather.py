"""What the report is made of: verified files, and the label issues that the facts list."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_report import REMOVE

from heft.artifacts import read_json, write_json, write_parquet
from heft.data.input_writer import write_inputs
from heft.data.modalities.images import Images
from heft.errors import HeftError
from heft.evaluation.columns import COLUMNS
from heft.own_module import MODULES_VARIABLE
from heft.pseudonyms import pseudonym
from heft.workflow.results.gather import gather
from heft.workflow.results.report_files import Sources

SETTINGS = {"methods": ["loss"], "baselines": [], "measure": "balanced_accuracy", "show_examples": True}
INPUTS = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """The files of an experiment of one seed and one variant, in the working folder."""
    monkeypatch.chdir(tmp_path)
    row = dict.fromkeys(COLUMNS, "") | {"seed": 0, "variant": "loss", "method": "loss", "test_accuracy": 0.5}
    write_json("loss.json", {"rows": [row], "long": [], "precision_recall": None, "warnings": ["w"]})
    write_parquet("history.parquet", pd.DataFrame({"run": [0], "epoch": [1]}))
    conflict = {"ids": ["a", "x"], "labels": [0, 1]}
    counts = {"train": 3, "validation": 1, "test": 1}
    facts = {"n": counts, "noise": "none", "rate": 0.0, "n_wrong": 0, "resample": ["split"]}
    facts |= {"duplicates": {"taking_part": "one"}, "conflicting_duplicates": [conflict], "notes": ["2 sets."]}
    facts |= {"near_duplicates": [], "leaked": [], "shared_notes": ["2 hidden."]}
    write_json("facts.json", {**facts, "trusted": None, "n_guiding": 1})
    write_parquet("train.parquet", pd.DataFrame({"id": list("abc"), "row": [2, 0, 3], "label": 0, "true_label": 0}))
    write_parquet("scores.parquet", pd.DataFrame({"id": list("cab"), "score": [3.0, 1.0, 2.0]}))
    write_inputs("inputs.safetensors", INPUTS)
    write_json(
        "manifest.json",
        {"class_names": ["cat", "dog"], "modality": {"name": "images", "mean": 0.5}, "true_labels": False},
    )
    return Sources(
        "small", SETTINGS, ["remove"], ["loss.json"], {0: "history.parquet"}, {0: "facts.json"}, {0: "train.parquet"},
        {0: ["scores.parquet"]}, "inputs.safetensors", "manifest.json",
    )  # fmt: skip


def test_label_issues_warnings_and_the_pictures_of_the_training_split_reach_the_report(sources: Sources) -> None:
    report = gather(sources)
    assert report.split.label_issues.startswith(
        "1 group of identical examples with different labels: a (cat) = x (dog)"
    )
    assert report.split.notes == ["2 sets."]
    assert report.split.shared_notes == ["2 hidden."]
    assert f": {pseudonym('a')} (cat) = {pseudonym('x')} (dog)" in report.split.shared_label_issues
    assert [warning.sentence for warning in report.warnings] == ["w"]
    assert report.training is not None
    assert report.training.inputs is not None
    assert np.ravel(list(report.training.inputs)).tolist() == [2, 0, 3]
    assert report.training.scores["scores"].tolist() == [1.0, 2.0, 3.0]
    assert report.training.modality == Images(0.5)


def test_the_measure_is_the_one_that_the_settings_name_in_the_words_of_its_file(sources: Sources) -> None:
    measure = gather(sources).measure
    assert (measure.name, measure.title, measure.unit) == ("balanced_accuracy", "balanced accuracy", "%")
    assert (measure.higher_is_better, measure.chosen_by) == (True, "macro_loss")
    assert measure.validated_by == "validation macro loss"
    assert measure.does.startswith("Mean over classes of the share")
    usual = gather(replace(sources, configuration=SETTINGS | {"measure": {"test_accuracy": {}}})).measure
    assert (usual.name, usual.title, usual.short, usual.validated_by) == (
        "test_accuracy", "test accuracy", "accuracy", "validation loss"
    )  # fmt: skip


def test_actions_are_named_in_the_words_of_their_files_with_their_options(sources: Sources) -> None:
    actions = gather(replace(sources, actions=["remove", {"reweight": {"weight": 0.25}}])).actions
    assert list(actions) == ["remove", "reweight-weight_0.25"]
    assert actions["remove"] == replace(REMOVE, does=actions["remove"].does)
    reweight = actions["reweight-weight_0.25"]
    assert (reweight.title, reweight.participle) == ("Down-weight (weight 0.25)", "down-weighted (weight 0.25)")
    assert (reweight.verb, reweight.gerund, reweight.changes) == ("down-weight", "down-weighting", ("weight",))


OWN = '''"""scores: nothing."""

from heft.methods.declare import method


@method(title="Mine", formula="0", paper="none", predicts="nothing", needs=("final",), ensemble=False)
def scores(context):
    """Zeros."""
'''


def test_a_persons_own_method_is_in_the_legend_and_one_that_no_row_names_is_not(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_methods.py").write_text(OWN)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    content = read_json("loss.json")
    row = content["rows"][0] | {"method": "my_methods:scores", "variant": "mine"}
    write_json("loss.json", {**content, "rows": [*content["rows"], row]})
    settings = SETTINGS | {"methods": ["loss", "ip", {"my_methods:scores": {}}]}
    methods = gather(replace(sources, configuration=settings)).methods
    assert set(methods) == {"loss", "my_methods:scores"}
    assert methods["my_methods:scores"].fields["title"] == "Mine"


@pytest.mark.parametrize(
    "file",
    ["loss.json", "history.parquet", "facts.json", "train.parquet", "scores.parquet", "inputs.safetensors",
     "manifest.json"],
)  # fmt: skip
def test_no_changed_file_enters_the_report(sources: Sources, file: str) -> None:
    content = bytearray(Path(file).read_bytes())
    place = content.index(INPUTS[2].tobytes()) if file == "inputs.safetensors" else len(content) // 2
    content[place] ^= 1
    Path(file).write_bytes(content)
    with pytest.raises(HeftError, match=f"^{file} .*; delete it and run again"):
        list(gather(sources).training.inputs)  # type: ignore[union-attr]  # a picture is read when it is shown


def test_of_pictures_those_that_are_shown_alone_are_read(sources: Sources) -> None:
    large = np.zeros((4, 3, 40, 40), np.uint8)  # of which each row is a block of its own
    write_inputs("inputs.safetensors", large)
    content = bytearray(Path("inputs.safetensors").read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + 2 * large[0].nbytes] ^= 1
    Path("inputs.safetensors").write_bytes(content)
    examples = gather(sources).training
    assert examples is not None
    assert np.array_equal(examples.inputs[1], large[0])
    with pytest.raises(HeftError, match="was changed"):
        examples.inputs[0]
