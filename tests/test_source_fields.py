"""What a data source returns becomes the declared types without loss, or is one sentence with field, row and value."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from heft.data.checked import CheckedData, check_raw_data
from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData
from heft.errors import HeftError

PIXELS = np.arange(48, dtype=np.float32).reshape(6, 2, 2, 2)
LABELS = [0, 1, 1, 0, 1, 0]


def raw_data(**changes: Any) -> RawData:
    values = {
        "inputs": PIXELS,
        "labels": np.array(LABELS),
        "ids": list("abcdef"),
        "class_names": ["cat", "dog"],
        "files": {},
        "modality": Images(0.5, 0.25),
    }
    return replace(RawData(**values), **changes)


WORKS = {
    "labels": [
        np.array(LABELS, np.int32), np.array(LABELS, np.uint8), np.array(LABELS, np.uint64), np.array(LABELS, ">i2"),
        LABELS, tuple(LABELS), np.array(LABELS, float), np.array(LABELS, np.float16), np.array(LABELS, bool),
        [bool(label) for label in LABELS], [np.int8(label) for label in LABELS], [np.bool(label) for label in LABELS],
        [0, 1.0, True, np.float32(0), Fraction(1), 0], np.array(LABELS, object), pd.Series(LABELS),
        pd.Series(LABELS, dtype="Int64"), torch.tensor(LABELS), np.repeat(LABELS, 2)[::2], np.ma.array(LABELS),
    ],
    "inputs": [
        PIXELS.astype(np.float64), PIXELS.astype(np.uint8), PIXELS.astype(np.float16), PIXELS.astype(np.int64),
        PIXELS.astype(">f4"), PIXELS.astype(np.longdouble), np.asfortranarray(PIXELS), PIXELS.tolist(),
        np.repeat(PIXELS, 2, axis=3)[..., ::2], torch.from_numpy(PIXELS), np.ma.array(PIXELS),
    ],
    "ids": [tuple("abcdef"), np.array(list("abcdef")), pd.Index(list("abcdef")), pd.Series(list("abcdef"))],
    "class_names": [("cat", "dog"), np.array(["cat", "dog"]), pd.Index(["cat", "dog"])],
    "modality": [Images(np.float32(0.5), np.array(0.25)), Images(np.float64(0.5), torch.tensor(0.25))],
}  # fmt: skip


def same(checked: CheckedData, expected: CheckedData) -> bool:
    arrays = all(
        np.array_equal(getattr(checked, name), getattr(expected, name))
        and getattr(checked, name).dtype == getattr(expected, name).dtype
        for name in ("inputs", "labels")
    )
    rest = ("ids", "class_names", "files", "modality_facts")
    return arrays and all(getattr(checked, name) == getattr(expected, name) for name in rest)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WORKS.items() for value in values])
def test_what_can_be_said_exactly_is_converted(field: str, value: object) -> None:
    checked = check_raw_data(raw_data(**{field: value}), "mine")
    assert same(checked, check_raw_data(raw_data(), "mine"))
    assert checked.inputs.flags.c_contiguous
    assert {type(name) for name in [*checked.ids, *checked.class_names]} == {str}
    json.dumps(checked.modality_facts)


def test_numbers_as_names_and_ids_are_written_out_and_channels_have_their_own_display() -> None:
    modality = Images(np.array([0.5, 0.25], np.float32), (1, 2))
    checked = check_raw_data(
        raw_data(ids=[10, np.int64(11), "12", "x", 3, 4], class_names=[np.int64(3), 4.5], modality=modality), "m"
    )
    assert checked.ids == ["10", "11", "12", "x", "3", "4"]
    assert checked.class_names == ["3", "4.5"]
    assert checked.modality_facts == {"name": "images", "mean": [0.5, 0.25], "std": [1.0, 2.0]}
    assert check_raw_data(raw_data(modality=None), "m").modality == Images()


def test_splits_groups_and_true_labels_may_be_lists_or_arrays() -> None:
    parts, sites = ["test"] + 5 * ["train"], ["a", "b", "b", "10", "a", "a"]
    for split in (parts, np.array(parts), pd.Series(parts, dtype=object)):
        for groups in (sites, ["a", "b", "b", 10, "a", "a"]):
            checked = check_raw_data(raw_data(split=split, groups=groups, true_labels=pd.Series(LABELS)), "mine")
            assert (checked.split, checked.groups) == (parts, sites)
            assert checked.true_labels is not None
            assert (checked.true_labels.dtype, checked.true_labels.tolist()) == (np.dtype(np.int64), LABELS)
    plain = check_raw_data(raw_data(), "mine")
    assert (plain.split, plain.groups, plain.true_labels) == (None, None, None)


def changed(array: np.ndarray, value: float, row: int = 4) -> np.ndarray:
    copy = array.copy()
    copy[row, ..., -1] = value
    return copy


LONE_SURROGATE = "\udc80"
REFUSED = [
    ("labels", np.array([0, 1, -1, 0, 1, 0]), "row 2 has label -1; labels are 0 to 1."),
    ("labels", [0, 1, 2, 0, 1, 0], "row 2 has label 2; labels are 0 to 1."),
    ("labels", np.array([0, 1, 2**63, 0, 1, 0], np.uint64), "row 2 has label 9223372036854775808; labels are 0 to 1."),
    ("labels", np.array([0, 1, np.nan, 0, 1, 0]), "row 2 has label nan (float; expected whole numbers); labels are 0"),
    ("labels", np.array([0, 1, np.inf, 0, 1, 0]), "row 2 has label inf (float; expected whole numbers)"),
    ("labels", np.array([0, 0.5, 1, 0, 1, 0]), "row 1 has label 0.5 (float; expected whole numbers)"),
    ("labels", [0, 1, None, 0, 1, 0], "row 2 has label None (NoneType; expected whole numbers)"),
    ("labels", [0, "1", 1, 0, 1, 0], "row 1 has label '1' (str; expected whole numbers)"),
    ("labels", np.array(["cat"] * 6), "row 0 has label 'cat' (str; expected whole numbers)"),
    ("labels", pd.Series([0, 1, None, 0, 1, 0], dtype="Int64"), "row 2 has label nan (float; expected whole"),
    ("labels", np.array(LABELS, complex), "row 0 has label 0j (complex; expected whole numbers)"),
    ("labels", np.array(LABELS)[:, None], "labels have shape (6, 1); expected one number for each example."),
    ("labels", np.eye(2)[LABELS], "labels have shape (6, 2); expected one number"),
    ("labels", [[0], [1]], "row 0 has label [0] (list; expected whole numbers)"),
    ("labels", {0, 1}, "labels have shape (); expected one number"),
    ("labels", None, "labels have shape (); expected one number"),
    ("labels", np.ma.array(LABELS, mask=[1, 0, 0, 0, 0, 0]), "labels: there are masked values; expected a"),
    ("labels", LABELS[:5], "6 inputs, 5 labels and 6 ids do not match."),
    ("inputs", PIXELS[:5], "5 inputs, 6 labels and 6 ids do not match."),
    ("ids", list("abcde"), "6 inputs, 6 labels and 5 ids do not match."),
    ("inputs", changed(PIXELS, np.nan), "row 4 holds a value that is not finite ("),
    ("inputs", changed(PIXELS.astype(float), -np.inf), "row 4 holds a value that is not finite ("),
    ("inputs", changed(PIXELS.astype(float), 0.1), "row 4 holds 0.1, which is float64 and no float32; where"),
    ("inputs", changed(PIXELS.astype(float), 1e300), "row 4 holds 1e+300, which is float64 and no float32"),
    ("inputs", changed(PIXELS.astype(int), 2**24 + 1), "row 4 holds 16777217, which is int64 and no float32"),
    ("inputs", changed(PIXELS.astype(int), 2**62 + 1), "row 4 holds 4611686018427387905, which is int64 and"),
    ("inputs", PIXELS[0], "inputs have shape (2, 2, 2) and type float32; expected float32 of shape [n, channels,"),
    ("inputs", PIXELS[:, :0], "inputs have shape (6, 0, 2, 2) and type float32; expected float32 of shape"),
    ("inputs", PIXELS.astype(complex), "inputs have shape (6, 2, 2, 2) and type complex128; expected float32"),
    ("inputs", PIXELS.astype(object), "inputs have shape (6, 2, 2, 2) and type object; expected float32"),
    ("inputs", [[1, 2], [3]], "inputs: this is no array"),
    ("inputs", None, "inputs have shape () and type object; expected float32"),
    ("ids", list("abcdea"), "row 5 repeats the id a; ids are unique."),
    ("ids", [1, "a", "1", "b", "c", "d"], "row 2 repeats the id 1; ids are unique."),
    ("ids", ["a", None, "c", "d", "e", "f"], "row 1 has the id None (NoneType); ids are text or whole numbers."),
    ("ids", [1, 2.5, 3, 4, 5, 6], "row 1 has the id 2.5 (float); ids are text or whole numbers."),
    ("ids", [b"a", b"b", b"c", b"d", b"e", b"f"], "row 0 has the id b'a' (bytes); ids are text or whole numbers."),
    ("ids", [("a", 1)] * 6, "row 0 has the id ('a', 1) (tuple); ids are text or whole numbers."),
    ("ids", ["a", LONE_SURROGATE, "c", "d", "e", "f"], r"row 1 has the id '\udc80', which is not valid Unicode"),
    ("ids", ["a", "b\0", "c", "d", "e", "f"], r"row 1 has the id 'b\x00'; expected text that is not empty and holds"),
    ("ids", ["a", "", "c", "d", "e", "f"], "row 1 has the id ''; expected text that is not empty"),
    ("ids", "abcdef", "ids is 'abcdef' (str); expected a list."),
    ("ids", set("abcdef"), "(set); expected a list."),
    ("class_names", [], "class_names has 0 entries (none); expected at least 2."),
    ("class_names", ["cat"], "class_names has 1 entries (cat); expected at least 2."),
    ("class_names", ["cat", "dog", "cat"], "class_names[2] is cat, as is class_names[0]; names are unique."),
    ("class_names", [1, "1"], "class_names[1] is 1, as is class_names[0]; names are unique."),
    ("class_names", ["cat", None], "class_names[1] is None (NoneType); names are text or numbers."),
    ("class_names", ["cat", float("nan")], "class_names[1] is nan (float); names are text or numbers."),
    ("class_names", ["cat", LONE_SURROGATE], r"class_names[1] is '\udc80', which is not valid Unicode"),
    ("class_names", "ab", "class_names is 'ab' (str); expected a list."),
    ("class_names", {0: "cat", 1: "dog"}, "class_names is {0: 'cat', 1: 'dog'} (dict); expected a list."),
    ("modality", Images("0.5", 1), "mean is '0.5'; expected a finite number, or a list of 2, one for each channel."),
    ("modality", Images([1, 2, 3], 1), "mean is [1, 2, 3]; expected a finite number, or"),
    ("modality", Images(0.0, np.nan), "std is nan; expected a finite number"),
    ("modality", "images", "modality is 'images'; expected a modality, such as Images() or Tables()."),
    ("split", ["test"] * 6, "split has no example for train; training and what is not named are drawn from it."),
    ("split", ["train", "tset"] * 3, "row 1 has the split 'tset'; allowed: train, validation, test."),
    ("split", [None] * 6, "row 0 has the split None; allowed: train, validation, test."),
    ("split", ["train", "test"], "split has 2 entries; expected one for each of 6 examples."),
    ("split", "train", "split is 'train' (str); expected a list."),
    ("groups", ["a", "b"], "groups has 2 entries; expected one for each of 6 examples."),
    ("groups", ["a", None] * 3, "row 1 has the group None (NoneType); groups are text or whole numbers."),
    ("true_labels", [0, 1, -1, 0, 1, 0], "row 2 has the true label -1; labels are 0 to 1."),
    ("true_labels", [0, 1], "true_labels has 2 entries; expected one for each of 6 examples."),
    ("files", {"a.csv": "/nowhere/a.csv"}, "files has 'a.csv': '/nowhere/a.csv', which is not there."),
    ("files", ["a.csv"], "files is ['a.csv']; expected the path of each file that was read, by its name."),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "sentence"), REFUSED)
def test_what_cannot_is_one_sentence_with_source_field_row_and_value(field: str, value: object, sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        check_raw_data(raw_data(**{field: value}), "mine")
    message = str(caught.value)
    assert message.startswith("Data source mine: ")
    assert sentence in message
    assert "\n" not in message
    message.encode()


def test_no_examples_are_no_data_set() -> None:
    empty = raw_data(inputs=PIXELS[:0], labels=[], ids=[])
    with pytest.raises(HeftError, match="0 inputs, 0 labels and 0 ids are no data set"):
        check_raw_data(empty, "mine")
