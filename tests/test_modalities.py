"""What inputs are, a modality knows: it checks them, keeps their facts, hashes them and shows them."""

import base64
import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from synthetic_report import report_input

from heft.artifacts import write_parquet
from heft.data.checked import check_raw_data
from heft.data.examples import load_examples, load_manifest
from heft.data.modalities.declare import Modality, read_back, written
from heft.data.modalities.images import Images
from heft.data.modalities.tables import Tables
from heft.data.prepare import prepare
from heft.data.sources.declare import RawData
from heft.errors import HeftError
from heft.own_module import MODULES_VARIABLE
from heft.registry import declarations
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.gallery import make_gallery
from heft.reporting.text.verdict import judge

LABELS = [0, 1, 0, 1]
SHAPES = {"images": (2, 3, 4), "tables": (5,)}  # of those that are found by their axes


def inputs_of(name: str) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((4, *SHAPES[name])).astype(np.float32)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_modality_is_found_by_its_axes_and_comes_back_from_the_manifest(name: str) -> None:
    checked = check_raw_data(RawData(inputs_of(name), LABELS), "mine")
    assert checked.modality_facts["name"] == name
    back = read_back(checked.modality_facts)
    assert type(back) is type(checked.modality) is declarations("data/modalities")[name].load()
    assert written(back, SHAPES[name]) == checked.modality_facts


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_modality_shows_the_rows_that_are_asked_for_and_hashes_content(name: str) -> None:
    modality: Modality = declarations("data/modalities")[name].load()()
    inputs = modality.check(inputs_of(name))
    both, alone = modality.show(inputs, [3, 1]), modality.show(inputs, [1])
    assert len(both) == 2
    assert both[1] == alone[0] != both[0]
    assert both[0].picture or both[0].values
    assert modality.hash(inputs[0]) == hashlib.sha256(inputs[0].tobytes()).hexdigest()
    assert modality.hash(inputs[0]) != modality.hash(inputs[1])


def test_a_picture_is_shown_with_its_normalisation_undone() -> None:
    pixels = np.array([[[0, 51], [102, 255]]] * 3, np.uint8)  # [3, 2, 2]
    inputs = ((pixels / 255 - 0.25) / 0.5).astype(np.float32)[None]
    (shown,) = Images([0.25] * 3, 0.5).show(inputs, [0])
    assert shown.picture is not None
    picture = Image.open(io.BytesIO(base64.b64decode(shown.picture.partition(",")[2])))
    assert np.array_equal(np.asarray(picture), np.moveaxis(pixels, 0, -1))


def test_a_row_of_a_table_is_shown_by_its_most_unusual_values_in_their_own_unit() -> None:
    generator = np.random.default_rng(0)
    measured = generator.normal([10, 200, 3, 0, 5, 7], [1, 20, 0.1, 1, 1, 1], (500, 6))
    measured[7] = [10, 400, 2, 0.1, 5, 17]  # 10, 10 and 10 standard deviations away, and little
    measured[:, 4] = 5
    mean, std = measured.mean(0), np.where(measured.std(0) > 0, measured.std(0), 1)
    names = ["weight", "length", "width", "charge", "constant", "age"]
    inputs = ((measured - mean) / std).astype(np.float32)
    (shown,) = Tables(names, mean, std).show(inputs, [7])
    assert dict(shown.values[:3]) == {"length": "400", "width": "2", "age": "17"}
    assert shown.values[3][0] in ("weight", "charge")
    assert shown.picture is None


@pytest.mark.parametrize(
    ("modality", "sentence"),
    [
        (Tables(["a", "b"]), "feature_names has 2 entries; expected one for each of 5 features."),
        (Tables(list("abcda")), "feature_names[4] is a, as is feature_names[0]; names are unique."),
        (Tables("abcde"), "feature_names is 'abcde' (str); expected a list."),
        (Tables(std=[1, 2]), "std is [1, 2]; expected a finite number, or a list of 5, one for each feature."),
        (
            Images(),
            "inputs have shape (4, 5) and type float32; expected float32 of shape [n, channels, height, width].",
        ),
    ],
)
def test_facts_and_inputs_that_do_not_fit_are_one_sentence(modality: Modality, sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        check_raw_data(RawData(inputs_of("tables"), LABELS, modality=modality), "mine")
    assert str(caught.value) == f"Data source mine: {sentence}"


def test_the_gallery_shows_what_the_modality_says_and_a_truth_that_is_unknown() -> None:
    report = report_input()
    pictures, table = report.training, Tables(["width", "hue"])
    assert pictures is not None
    measured = np.random.default_rng(0).standard_normal((len(pictures.examples), 2)).astype(np.float32)
    unknown = pictures.examples.drop(columns="true_label")
    comparison = Comparison(report)
    training = replace(pictures, examples=unknown, inputs=measured, modality=table)
    gallery = make_gallery(training, comparison, judge(comparison), [str(digit) for digit in range(10)])
    assert gallery is not None
    rows = {name: row for row, name in enumerate(unknown["id"])}
    assert gallery.cards
    for card in gallery.cards:
        assert (card.true, card.wrong) == (None, None)
        assert card.shown == table.show(measured, [rows[card.id]])[0]


OWN = """
from heft.data.modalities.declare import Modality, Shown, modality

@modality(axes=["words"])
class Words(Modality):
    def __init__(self, *, language: str = "en"):
        self.language = language

    def facts(self, input_shape):
        return {"language": self.language}

    def batch(self, rows):
        return rows.long()

    def show(self, inputs, rows):
        return [Shown(values=[("words", str(inputs[row].tolist()))]) for row in rows]
"""


def test_a_modality_in_a_persons_module_is_found_again_and_makes_what_the_model_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_words.py").write_text(OWN)
    source = "from my_words import Words\nfrom heft.data.sources.declare import RawData\n"
    source += "def load():\n    return RawData([[1, 2], [3, 4]], [0, 1], modality=Words(language='fr'))\n"
    (tmp_path / "my_texts.py").write_text(source)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    prepare("my_texts:load", None, tmp_path / "data")
    manifest = load_manifest(tmp_path / "data")
    assert manifest["modality"] == {"name": "my_words:Words", "language": "fr"}
    write_parquet(tmp_path / "train.parquet", pd.DataFrame({"id": ["b", "a"], "row": [1, 0], "label": [1, 0]}))
    examples = load_examples(tmp_path / "data", tmp_path / "train.parquet")
    assert examples.inputs.dtype == torch.int64
    assert examples.inputs.tolist() == [[3, 4], [1, 2]]
    assert examples.true_labels is None
