"""Columns of a table say class, true class, id, group and split of an example."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from table_files import PLAIN, N, read, with_column, words, write

from heft.data.prepare import examples_table
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.errors import HeftError

LABELS: list[tuple[Sequence[Any], list[str]]] = [
    ([0, 1] * (N // 2), ["0", "1"]),
    ([True, False] * (N // 2), ["False", "True"]),
    ([10.0, 9] * (N // 2), ["9", "10"]),
    (["1", "1.0", "2", "2"] * (N // 4), ["1", "2"]),
    ([" very good", "bad "] * (N // 2), ["bad", "very good"]),
    (["cat, or dog", "neither/nor"] * (N // 2), ["cat, or dog", "neither/nor"]),
    (["animal|cat", "animal|dog"] * (N // 2), ["animal|cat", "animal|dog"]),
    ([0.5, 1, 1.5, 2] * (N // 4), ["0.5", "1", "1.5", "2"]),
]


@pytest.mark.parametrize(("values", "names"), LABELS)
def test_classes_are_named_by_the_target_in_their_order(
    tmp_path: Path, values: Sequence[Any], names: list[str]
) -> None:
    data = read(write(tmp_path, with_column("my target", values)), target="my target")
    assert data.class_names == names
    expected = [str(value).strip().removesuffix(".0") for value in values]
    assert [data.class_names[label] for label in data.labels] == expected


def test_classes_that_differ_by_case_or_spaces_alone_are_said(tmp_path: Path) -> None:
    data = read(write(tmp_path, with_column("pay", ["Low", "low", "very  high", "Very high"] * (N // 4))))
    assert data.notes[1] == (
        'Classes differ by case or spaces alone: "Low" and "low"; "Very high" and "very  high"; if they are the same, '
        "write them alike."
    )
    assert len(data.class_names) == 4


def test_rows_without_a_target_are_skipped_and_listed(tmp_path: Path) -> None:
    data = read(write(tmp_path, with_column("pay", ["low", "", "high", "NA"] * (N // 4))))
    assert data.skipped[:2] == [("a.csv, line 3", "pay is missing"), ("a.csv, line 5", "pay is missing")]
    assert (len(data.ids), len(data.skipped), data.class_names) == (N // 2, N // 2, ["high", "low"])


def test_columns_say_id_group_split_and_true_label_and_are_no_inputs(tmp_path: Path) -> None:
    content = {
        **PLAIN,
        "key": [f"k{k}" for k in range(N)],
        "patient": ["p", "q", "", "p"] * (N // 4),
        "part": ["train", "Training", "val", "test"] * (N // 4),
        "truth": ["low", "low", "high", "none"] * (N // 4),
    }
    data = read(write(tmp_path, content), id="key", group="patient", split="part", true_label="truth")
    assert data.modality_facts["names"] == ["age", "colour"]
    assert data.ids[:2] == ["k0", "k1"]
    assert data.groups is not None
    assert data.groups[:4] == ["p", "q", "alone: a.csv, line 4", "p"]
    assert len(set(data.groups)) == 2 + N // 4
    assert data.split is not None
    assert data.split[:4] == ["train", "train", "validation", "test"]
    assert data.class_names == ["high", "low", "none"]
    assert data.true_labels is not None
    assert data.true_labels[:4].tolist() == [1, 1, 0, 2]


def test_files_of_their_own_are_splits(tmp_path: Path) -> None:
    other = {"pay": ["high", "low"] * 3, "colour": ["pink"] * 6, "age": range(6)}
    data = read(write(tmp_path, PLAIN), test_path=write(tmp_path, other, "b.csv"))
    assert data.split == ["train"] * N + ["test"] * 6
    assert data.ids[-1].endswith("-test-line-7")
    assert words(data)[-1] == [5, "pink"]
    assert sorted(data.files) == ["a.csv", "b.csv"]
    typed = read(write(tmp_path, PLAIN), validation_path=write(tmp_path, other, "c.parquet"))
    assert words(typed) == words(data)
    assert typed.ids[-1].endswith("-validation-row-6")
    with pytest.raises(HeftError, match=r"b.csv lacks age and also has wage, unlike \S+a.csv; give both the same col"):
        read(
            write(tmp_path, PLAIN), test_path=write(tmp_path, {"pay": ["high"], "colour": ["x"], "wage": [1]}, "b.csv")
        )


def test_the_order_of_rows_and_columns_changes_no_split(tmp_path: Path) -> None:
    plain = pd.DataFrame({**PLAIN, "weight": [k / 7 for k in range(N)]})
    settings = DataSettings(train=20, validation=8, test=10, noise=NoiseSettings("none"))
    drawn = []
    for rows in (plain, plain.sample(frac=1, random_state=0), plain[["weight", "pay", "colour", "age"]][::-1]):
        data = read(write(tmp_path, dict(rows)))
        hashes = [data.modality.hash(row) for row in data.inputs]
        splits = draw_split(examples_table(data, hashes), np.empty((N, 0)), settings, 0)
        drawn.append({name: [hashes[row] for row in split["row"]] for name, split in splits.items()})
    assert drawn[0] == drawn[1] == drawn[2]


def test_the_order_of_rows_and_a_further_category_change_no_hash_of_an_id(tmp_path: Path) -> None:
    shuffled = pd.DataFrame(PLAIN).sample(frac=1, random_state=0)
    more = pd.concat([shuffled, pd.DataFrame({"age": [3], "colour": ["azure"], "pay": ["low"]})])
    hashes = [sorted(name[:8] for name in read(write(tmp_path, PLAIN)).ids)]
    hashes += [sorted(name[:8] for name in read(write(tmp_path, dict(rows))).ids) for rows in (shuffled, more[:-1])]
    assert hashes[0] == hashes[1] == hashes[2]
    assert set(hashes[0]) < {name[:8] for name in read(write(tmp_path, dict(more))).ids}


@pytest.mark.parametrize(("n_others", "share"), [(0, "100"), (2, "99.75"), (6, "")])
def test_a_column_that_alone_tells_the_class_is_said(tmp_path: Path, n_others: int, share: str) -> None:
    classes = ["low", "high", "none", "low"] * 100
    told = [*["x"] * n_others, *[f"is {name}" for name in classes[n_others:]]]
    columns = {"told": told, "other": ["u", "v"] * 200, "pay": classes}
    sentence = (
        f"Column told alone tells the class of {share} % of the rows; leave it out if it is known only after the "
    )
    sentence += "class is."
    notes = read(write(tmp_path, columns)).notes
    assert [note for note in notes if "tells" in note] == ([sentence] if share else [])
