"""Texts as a modality: what is a text, what tells one from another, what a person sees of it, and what takes none."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic_report import report_input

from heft.data.checked import check_raw_data
from heft.data.inputs import InputsFile
from heft.data.modalities.declare import read_back
from heft.data.modalities.texts import LONGEST_SHOWN, Texts
from heft.data.prepare import examples_table
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.sources.declare import RawData
from heft.data.split import draw_split
from heft.data.stored import store_inputs
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.reporting.page import render_report

TEXTS = ["plain", "", "Zürich – 東京", "שלום עולם", "👩‍👩‍👧 <b>&amp;", "a\nb\0c"]


def checked(texts: Any) -> Any:
    return check_raw_data(RawData(texts, [0, 1] * (len(texts) // 2), modality=Texts()), "mine")


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda texts: pd.Series(texts)])
def test_texts_in_any_list_are_kept_as_they_are_and_told_apart_by_their_content(kind: Any, tmp_path: Path) -> None:
    data = checked(kind(TEXTS))
    stored = store_inputs(tmp_path / "i", data, "mine")
    assert list(InputsFile(tmp_path / "i").verified()) == TEXTS
    assert stored.hashes == [hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]
    assert (data.input_shape, data.modality_facts) == ((), {"name": "texts"})
    assert read_back(data.modality_facts) == Texts()


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["a", None], "row 1 is None (NoneType); expected text."),
        (["a", 7], "row 1 is 7 (int); expected text."),
        ([b"a", "b"], "row 0 is b'a' (bytes); expected text."),
        (["a", "\ud83d"], "row 1 is '\\ud83d', which is not valid Unicode (a lone surrogate)."),
        ("ab", "inputs are 'ab' (str); expected a list of texts."),
        (np.array([["a", "b"]] * 2), "inputs are array([['a', 'b'],\\n"),
    ],
)
def test_what_is_no_text_is_one_sentence(texts: Any, sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        checked(texts)
    assert str(caught.value).startswith(f"Data source mine: {sentence}".replace("\\n", "\n"))


def test_a_text_is_shown_on_one_line_and_cut_where_it_is_long() -> None:
    shown = [one.text for one in Texts().show([*TEXTS, "word " * 500, " " * 5000 + "far"], [5, 3, 4, 6, 7])]
    assert shown[:3] == ["a bc", TEXTS[3], TEXTS[4]]
    assert shown[3] == ("word " * 500)[: LONGEST_SHOWN - 1].rstrip() + "…"
    assert shown[4] == "…"


def test_a_model_takes_no_texts_and_the_sentence_says_what_does() -> None:
    manifest = {"modality": {"name": "texts"}, "source": "mine", "input_shape": [], "class_names": ["a", "b"]}
    for name in ("mlp", "cnn"):
        with pytest.raises(
            HeftError, match=r"takes (numbers|images), but the inputs of data source mine are texts; .*encoder"
        ):
            ModelSpec.for_data({"name": name, "options": {}}, manifest)
    with pytest.raises(HeftError, match=r"inputs are texts, which no model takes; name an encoder"):
        Texts().batch(TEXTS)


def test_noise_that_looks_at_distances_is_refused(tmp_path: Path) -> None:
    texts = [f"text {row}" for row in range(40)]
    stored = store_inputs(tmp_path / "i", checked(texts), "mine")
    examples = examples_table(stored.data, stored.hashes)
    inputs = InputsFile(tmp_path / "i").verified()
    settings = DataSettings(train=20, validation=8, test=8, noise=NoiseSettings("symmetric", 0.2))
    assert (draw_split(examples, inputs, settings, 0)["train"]["label"]).isin([0, 1]).all()
    clustered = replace(settings, noise=NoiseSettings("clustered", 0.2))
    with pytest.raises(HeftError, match=r"clustered, which looks at distances of inputs, and texts have none"):
        draw_split(examples, inputs, clustered, 0)


@pytest.mark.slow
def test_the_gallery_shows_texts_as_they_were_written(tmp_path: Path) -> None:
    report = report_input()
    training = report.training
    assert training is not None
    texts = [f"{TEXTS[row % 5]}{row}" for row in range(len(training.examples))]
    render_report(replace(report, training=replace(training, inputs=texts, modality=Texts())), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count('<p class="text" dir="auto">') == 36
    assert '<p class="text" dir="auto">👩‍👩‍👧 &lt;b&gt;&amp;amp;' in page
    assert '<p class="text" dir="auto">שלום עולם' in page
