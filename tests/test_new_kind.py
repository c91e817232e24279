"""Which data source reads a path: by the names of files, and by what stands in columns."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heft.errors import HeftError
from heft.workflow.new_experiment.kind import kind_of

SENTENCES = [f"number {row} is a sentence of several words" for row in range(20)]
LABELS = ["good", "bad"] * 10


def folder_of(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"x")
    return place


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["cat/1.JPG", "dog/2.png", "notes.txt"], "image_folder"),
        (["train/cat/1.jpg", "test/dog/2.webp"], "image_folder"),
        (["spam/1.txt", "ham/2.txt", "ham/3.txt", "cover.png"], "text"),
        (["dataset_dict.json", "train/data.arrow"], "hf_dataset"),
        (["state.json", "dataset_info.json", "data.arrow"], "hf_dataset"),
    ],
)
def test_a_folder_is_what_most_of_its_files_are(tmp_path: Path, names: list[str], source: str) -> None:
    assert kind_of(folder_of(tmp_path / "data", *names), None).source == source


@pytest.mark.parametrize(
    ("columns", "source", "options"),
    [
        ({"sentence": SENTENCES, "label": LABELS}, "text", {"text": "sentence", "label": "label"}),
        ({"verdict": LABELS, "words": SENTENCES}, "text", {"text": "words", "label": "verdict"}),
        ({"age": range(20), "city": LABELS, "income": LABELS}, "table", {"target": "income"}),
        ({"Target": LABELS, "age": range(20)}, "table", {"target": "Target"}),
        ({"path": ["a/1.png", "b/2.jpg"] * 10, "label": LABELS}, "image_folder", {}),
        (
            {"remark": SENTENCES, **{f"x{k}": range(20) for k in range(5)}, "label": LABELS},
            "table",
            {"target": "label"},
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl", "csv.gz"])
def test_a_file_of_columns_is_what_stands_in_them(
    tmp_path: Path, columns: dict[str, list[object]], source: str, options: dict[str, str], suffix: str
) -> None:
    table, path = pd.DataFrame(columns), tmp_path / f"data.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    elif suffix == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in table.to_dict("records")))
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    kind = kind_of(path, None)
    assert kind.source == source
    assert kind.options == {"path": str(path), **options}


def test_arrays_are_read_by_their_own_source(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", inputs=np.ones((3, 2)), labels=[0, 1, 0])
    assert kind_of(tmp_path / "data.npz", None).source == "arrays"


def test_the_target_that_a_person_names_wins_and_one_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    pd.DataFrame({"label": LABELS, "other": LABELS}).to_csv(tmp_path / "a.csv", index=False)
    assert kind_of(tmp_path / "a.csv", "other").options["target"] == "other"
    with pytest.raises(HeftError, match=r"a\.csv has no column oter; it has label, other"):
        kind_of(tmp_path / "a.csv", "oter")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", r"gone is not there; DATA names a folder"),
        ("movie.mp4", r"movie\.mp4 is no file that a data source reads; allowed: \.csv, "),
        ("empty.csv", r"empty\.csv is empty"),
        ("header.csv", r"header\.csv has a header \(a, b\) and no row"),
        ("header.parquet", r"header\.parquet has a header \(a\) and no row"),
        ("videos", r"videos holds neither images nor texts, but \.mp4"),
        ("nothing", r"nothing holds neither images nor texts, but no files"),
    ],
)
def test_what_no_source_reads_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "movie.mp4").write_bytes(b"x")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,b\n")
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "header.parquet")
    folder_of(tmp_path / "videos", "a/1.mp4")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(HeftError, match=said):
        kind_of(tmp_path / name, None)
