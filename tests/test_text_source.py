"""A person's own texts: which files and columns are read, what leads back to a line, and each mistake in a sentence."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from heft.data.checked import CheckedData, check_raw_data
from heft.data.reading import read_source
from heft.data.sources.text import text
from heft.errors import HeftError
from heft.registry import find

LINES = ["good – 東京", "bad", 'she said "no"', "so, so"]
CLASSES = ["up", "down", "down", "up"]


def read(path: Path, **options: Any) -> CheckedData:
    return check_raw_data(read_source(find("data/sources", "text"), None, {"path": str(path), **options}), "text")


def summary(data: CheckedData) -> dict[str, Any]:
    return {"texts": list(data.inputs), "classes": [data.class_names[label] for label in data.labels]}


def write(path: Path, columns: Mapping[str, Any]) -> Path:
    table = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_dict("records")), encoding="utf-8")
    else:
        table.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_each_kind_of_file_gives_the_same_texts_and_classes_by_columns_of_usual_names(
    tmp_path: Path, name: str
) -> None:
    data = read(write(tmp_path / name, {"Sentence": LINES, "year": [1, 2, 3, 4], "label": CLASSES}))
    assert summary(data) == {"texts": LINES, "classes": CLASSES}
    assert data.class_names == ["down", "up"]
    place = {"a.csv": "line-{}", "a.tsv": "line-{}", "a.jsonl": "line-{}", "a.parquet": "row-{}"}[name]
    first = 2 if name in ("a.csv", "a.tsv") else 1
    assert data.ids == [
        f"{hashlib.sha256(one.encode()).hexdigest()[:8]}-{place.format(first + row)}" for row, one in enumerate(LINES)
    ]
    assert data.notes == [f"{name}: 4 rows; columns: texts Sentence, labels label; not read: year."]
    assert data.modality_facts == {"name": "texts"}


def test_columns_are_named_and_say_more_of_each_text(tmp_path: Path) -> None:
    columns = {"what": LINES, "is": CLASSES, "was": CLASSES[::-1], "who": ["a", "a", "", "b"], "key": list("wxyz")}
    path = write(
        tmp_path / "a.csv", columns | {"part": ["train", "Training", "dev", "test"], "ok": ["Yes", "", "1", "no"]}
    )
    roles = {"label": "is", "true_label": "was", "group": "who", "id": "key", "split": "part", "trusted": "ok"}
    data = read(path, text="what", **roles)
    assert summary(data) == {"texts": LINES, "classes": CLASSES}
    assert data.true_labels is not None
    assert [data.class_names[label] for label in data.true_labels] == CLASSES[::-1]
    assert data.ids == list("wxyz")
    assert data.groups is not None
    assert (data.groups[0] == data.groups[1], len(set(data.groups))) == (True, 3)
    assert data.split == ["train", "train", "validation", "test"]
    assert data.trusted is not None
    assert data.trusted.tolist() == [True, False, True, False]


def test_files_without_a_header_whose_columns_are_numbered_are_splits_of_their_own(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(f"of {name} \" and ' too\t0\nanother of {name}\t1\n", encoding="utf-8")
    files = {"validation_path": str(tmp_path / "dev.tsv"), "test_path": str(tmp_path / "test.tsv")}
    data = read(tmp_path / "train.tsv", **files, header=False, text=1, label=2)
    assert data.split == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert [data.inputs[0], data.inputs[3]] == ["of train \" and ' too", "another of dev"]
    assert [name[9:] for name in data.ids[::2]] == ["line-1", "validation-line-1", "test-line-1"]
    assert set(data.files) == {"train.tsv", "dev.tsv", "test.tsv"}


def test_rows_without_a_text_or_a_label_are_skipped_and_listed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\ngood,1\n,1\nbad,\n"  ",0\n"two\nlines",0\n')
    data = read(tmp_path / "a.csv")
    assert summary(data) == {"texts": ["good", "two\nlines"], "classes": ["1", "0"]}
    assert data.skipped == [
        ("a.csv, line 3", "it has no text"),
        ("a.csv, line 4", "it has no label"),
        ("a.csv, line 5", "it has no text"),
    ]
    (tmp_path / "a.jsonl").write_text('{"text": "x", "label": 10}\n\n{"label": 9}\n{"text": "y", "label": 9}\n')
    data = read(tmp_path / "a.jsonl")
    assert (data.class_names, data.skipped) == (["9", "10"], [("a.jsonl, line 3", "it has no text")])


def test_a_text_may_be_a_book_and_the_encoding_another(tmp_path: Path) -> None:
    book = "è" * 200_000
    (tmp_path / "a.csv").write_text(f"text,label\n{book},a\nb,b\n", encoding="cp1252")
    assert read(tmp_path / "a.csv", encoding="cp1252").inputs[0] == book


def test_quotes_may_stand_for_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tlabel\n"Never\t0\nmind" he said\t1\n"Why?"\t1\n')
    data = read(tmp_path / "a.tsv", quotes=False)
    assert summary(data) == {"texts": ['"Never', 'mind" he said', '"Why?"'], "classes": ["0", "1", "1"]}


def test_files_in_class_folders_are_texts_by_their_paths_and_may_have_splits(tmp_path: Path) -> None:
    files = {"train/pos/1.txt": "good", "train/neg/2.txt": "bad", "train/neg/3.txt": " ", "test/neg/2.txt": "worse"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "train/neg/4.txt").write_bytes(b"caf\xe9")
    (tmp_path / "train/neg/README").write_text("not read")
    data = read(tmp_path)
    assert data.ids == ["test/neg/2.txt", "train/neg/2.txt", "train/pos/1.txt"]
    assert summary(data) == {"texts": ["worse", "bad", "good"], "classes": ["neg", "neg", "pos"]}
    assert data.split == ["test", "train", "train"]
    assert data.skipped == [("train/neg/3.txt", "it has no text"), ("train/neg/4.txt", "byte 3 is not UTF-8")]
    assert data.notes == ["Left out: 1 file is no text (train/neg/README)."]
    assert data.files == {tmp_path.name: tmp_path}
    assert "café" in read(tmp_path, encoding="latin-1").inputs
    for name in ("train/pos/1.txt", "test/neg/2.txt"):
        (tmp_path / name).unlink()
    with pytest.raises(HeftError, match=r"holds texts of one class, neg; expected one folder for each class, as in"):
        read(tmp_path)


NUMBERS = "text,label\n" + "".join(f"of {n},{n / 7}\n" for n in range(12))
JSON = "expected one object a line, as in"
MISTAKES: list[tuple[str, str, dict[str, Any], str]] = [
    ("a.csv", "", {}, "{a} is empty."),
    ("a.csv", "text,label\n", {}, "{a} has a header (text, label) and no row."),
    ("a.csv", "x,label\na,b\n", {}, "text is not given, and {a} has no column of a usual name (text, sentence, "),
    ("a.csv", "x,label\na,b\n", {}, "it has x, label. Name one of them as text, or set header: false if the first"),
    ("a.jsonl", '{"x": "a", "label": 1}\n', {}, "body); it has x, label. Name one of them as text.$"),
    ("a.csv", "text,y\na,b\n", {}, "label is not given, and {a} has no column of a usual name (label, "),
    ("a.csv", "text,y\na,b\n", {"label": "z"}, "label names the column z, which {a} lacks; it has text, y."),
    ("a.csv", "text,label\na,b\n", {"id": "text"}, "id and text name the same column text; a column has one use."),
    ("a.csv", "text,label\na,b\na,b\n", {}, "label label holds one class alone (b); "),
    ("a.csv", "text,label\n,b\n ,c\n", {}, "text text of {a} holds no text in any row."),
    ("a.csv", "text,label\na,\nb,\n", {}, "label label of {a} has no value in any row."),
    ("a.csv", "text,label,k\na,0,7\nb,1,7\n", {"id": "k"}, 'id k holds "7" twice (a.csv, line 2 and a.csv, line 3); '),
    ("a.csv", NUMBERS, {}, "label label holds 12 different numbers (0 to 1.5714"),
    (
        "a.csv",
        "text,label,k\na,0,1\nb,1,perhaps\n",
        {"trusted": "k"},
        'trusted k holds "perhaps" (a.csv, line 3); allow',
    ),
    ("a.csv", "text,label\na,b\nc\n", {}, "{a}, line 3 has 1 field; the header has 2."),
    ("a.csv", "text,label\na,b\n", {"header": False, "text": 1, "label": 3}, "label names the column 3, which {a} lac"),
    ("a.csv", "text,label\na,b\n", {"encoding": "utf-9"}, 'encoding is "utf-9", which is unknown'),
    ("a.tsv", 'text\tlabel\n"a\t0\nb" c\t1\n', {}, "{a}, line 3 cannot be read as CSV ('\t' expected after '\"')"),
    (
        "a.tsv",
        'text\tlabel\n"a\t0\nb"\t1\nc\t0\n',
        {},
        "-line-2 goes over several lines and holds a tab, as where a",
    ),
    ("a.jsonl", '{"text": "a", "label": 1}\n[1]\n', {}, "{a}, line 2 is no JSON object: [1]; " + JSON),
    ("a.jsonl", '{"text": "a"\n', {}, '{a}, line 1 is no JSON (Expecting \',\' delimiter): {"text": "a"; ' + JSON),
    ("a.jsonl", '{"text": "a", "label": ["x", "y"]}\n', {}, "label label of {a} holds several values a row (list<"),
    (
        "a.jsonl",
        '{"text": "a", "label": 1}\n{"text": "b", "label": [1]}\n',
        {},
        "{a}, line 2: label holds [1], and",
    ),
    ("a.jsonl", '{"text": 7, "label": 1}\n', {}, "text names the column text of {a}, which holds int64 and no texts ("),
    ("a.jsonl", '{"text": "\\ud83d", "label": 1}\n', {}, "{a}, line 1: text holds half a character"),
    ("a.doc", "x", {}, "{a} ends in .doc; allowed are .csv, .tsv, .tab, .txt, .jsonl, .ndjson, .json, .parquet"),
]


@pytest.mark.parametrize(("name", "content", "options", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, name: str, content: str, options: dict[str, Any], sentence: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(HeftError) as caught:
        text(None, path=str(tmp_path / name), **options)
    said, expected = str(caught.value), sentence.replace("{a}", str(tmp_path / name))
    assert said.endswith(expected[:-1]) if expected.endswith("$") else expected in said
    assert "\n" not in said
