"""Folders of Hugging Face's datasets, as its version 5.2.0 has written them: what is read, and each mistake."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heft.data.checked import CheckedData, check_raw_data
from heft.data.inputs import InputsFile
from heft.data.reading import read_source
from heft.data.stored import store_inputs
from heft.errors import HeftError
from heft.registry import find

SAVED = Path(__file__).parent / "saved_datasets"


def read(path: Path, **options: Any) -> CheckedData:
    return check_raw_data(read_source(find("data/sources", "hf_dataset"), None, {"path": str(path), **options}), "mine")


def test_texts_have_the_classes_that_their_column_declares_and_rows_without_one_are_skipped() -> None:
    data = read(SAVED / "texts")
    assert list(data.inputs) == ["good", "bad", "so so"]
    assert data.class_names == ["neg", "Pos"]
    assert data.labels.tolist() == [1, 0, 0]
    assert [name[9:] for name in data.ids] == ["row-1", "row-2", "row-5"]
    assert data.skipped == [("texts, row 3", "it has no text"), ("texts, row 4", "it has no label")]
    assert data.notes == ["texts: 5 rows; columns: texts sentence, labels label; not read: was, idx."]
    assert data.files == {"texts": SAVED / "texts"}


def test_columns_are_named_and_true_labels_have_the_same_classes() -> None:
    data = read(SAVED / "texts", input="sentence", label="label", true_label="was", id="idx")
    assert data.true_labels is not None
    assert (data.ids, data.true_labels.tolist()) == (["5", "6", "9"], [1, 1, 0])


def test_lists_of_numbers_in_several_files_are_a_table() -> None:
    data = read(SAVED / "vectors", input="embedding")
    assert np.array_equal(data.inputs, [[0.5, 1.0], [2.0, 3.0], [1.0, 2.0]])
    assert (data.class_names, data.labels.tolist()) == (["u", "v"], [0, 1, 0])
    assert data.modality_facts["name"] == "mixed_columns"


def test_without_another_input_all_columns_are_a_table() -> None:
    data = read(SAVED / "vectors")
    assert data.modality_facts["names"] == ["age", "job"]
    assert data.inputs[:, 0].tolist() == [30.5, 20.0, 25.0]
    assert data.modality_facts["categories"] == {"job": ["cook", "nurse"]}
    assert "embedding" in data.modality_facts["left_out"]
    assert read(SAVED / "texts", label="sentence").modality_facts["name"] == "mixed_columns"


def test_pictures_are_decoded_splits_are_kept_and_others_left_out(tmp_path: Path) -> None:
    folder = shutil.copytree(SAVED / "pictures", tmp_path / "pictures")
    (folder / "dataset_dict.json").write_text('{"splits": ["validation", "extra", "train"]}')  # in any order
    data = read(folder, size=8)
    assert data.split == ["train"] * 4 + ["validation"] * 2
    assert [name[9:] for name in data.ids[3:5]] == ["row-4", "validation-row-1"]
    assert data.class_names == ["blue", "Red"]
    assert data.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert data.skipped == [
        ("train, row 5", "it has no picture"),
        ("train, row 6", "it has no label"),
        ("validation, row 3", "it has no label"),
    ]
    assert data.notes == ["Splits that are none of train, validation and test are left out: extra."]
    stored = store_inputs(tmp_path / "inputs", data, "hf_dataset")
    pixels = InputsFile(tmp_path / "inputs").verified()
    assert pixels[:, :, 4, 4].tolist() == [
        *([200, 10 * row, 0] if row % 2 else [0, 10 * row, 200] for row in [0, 1, 2, 3, 0, 1])
    ]
    assert stored.data.ids == data.ids


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("texts", {"input": "idx"}, "input idx of {folder} holds int32; expected texts, pictures, or lists of numbers"),
    (
        "texts",
        {"input": "nothing"},
        "input names the column nothing, which {folder} lacks; it has sentence, label",
    ),
    (
        "texts",
        {"label": "sentence", "input": "sentence"},
        "label and input name the same column sentence; a column has one use.",
    ),
    ("vectors", {"input": "tags"}, "input tags of {folder} holds list<item: string>; expected texts, pictures"),
    ("vectors", {"input": "embedding", "label": "tags"}, "label tags of {folder} holds several values a row (list<"),
    (".", {}, "{folder} has no state.json and no dataset_dict.json; expected a folder that save_to_disk of datasets"),
]


@pytest.mark.parametrize(("name", "options", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(name: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        read(SAVED / name, **options)
    assert sentence.replace("{folder}", str(SAVED / name)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_folder_is_one_sentence_with_the_file(tmp_path: Path) -> None:
    folder = shutil.copytree(SAVED / "texts", tmp_path / "texts")
    arrow = folder / "data-00000-of-00001.arrow"
    whole = arrow.read_bytes()

    def said() -> str:
        with pytest.raises(HeftError) as caught:
            read(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    arrow.write_bytes(whole[: len(whole) // 2])
    assert f"{arrow} cannot be read as a stream of Arrow (" in said()
    arrow.unlink()
    assert f"{arrow} is not there, though state.json names it." in said()
    (folder / "dataset_info.json").write_text("{")
    assert f"{folder}/dataset_info.json cannot be read as JSON" in said()
    (folder / "dataset_info.json").unlink()
    assert f"{folder}/dataset_info.json is not there" in said()
    arrow.write_bytes(whole)
    shutil.copy(SAVED / "texts/dataset_info.json", folder)
    facts = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**facts, "_indices_data_files": [{"filename": "indices.arrow"}]}))
    assert "holds a selection of rows; call flatten_indices() before save_to_disk()." in said()
