"""A folder of class folders, or a CSV of paths, is a data set: layouts, names, what is left out, and each mistake."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_cases import (
    NAMES,
    gradient,
    image_folder,
    save_nasty_folder,
    save_odd_pictures,
    save_pets,
    save_pictures,
    save_unreadable,
)
from PIL import Image
from workspace import ROOT

from heft.artifacts import read_json, read_parquet
from heft.data.inputs import InputsFile
from heft.data.prepare import prepare
from heft.errors import HeftError
from heft.registry import find


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, below which data and results lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepared(path: str, **options: Any) -> tuple[list[str], dict[str, Any], Any]:
    """What `prepare` says, the manifest and the examples."""
    said = prepare("image_folder", None, Path("out"), {"path": path, "size": 8, **options})
    return said.notes, read_json("out/manifest.json"), read_parquet("out/examples.parquet")


def test_folders_are_classes_and_ids_are_paths_below_them() -> None:
    save_pets()
    save_pictures(Path("pets/cat"), "indoors/at night", 1)
    raw = image_folder("pets")
    assert raw.class_names == ["cat", "dog"]
    assert raw.labels == [0, 0, 0, 1, 1]
    assert raw.ids == ["cat/000.png", "cat/001.png", "cat/indoors/at night/000.png", "dog/000.png", "dog/001.png"]
    assert (raw.split, raw.true_labels, raw.groups, raw.skipped, raw.notes) == (None, None, None, [], [])


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("train", "validation", "test"), ("test", "train", "validation")),
        (("Train", "val"), ("train", "validation")),
        (("training", "valid", "testing"), ("test", "train", "validation")),
        (("train",), ("train",)),
    ],
)
def test_folders_of_splits_stand_above_classes(folders: tuple[str, ...], splits: tuple[str, ...]) -> None:
    save_pets(*folders)
    raw = image_folder("pets")
    assert raw.class_names == ["cat", "dog"]
    assert tuple(sorted(set(raw.split))) == splits
    assert len(raw.split) == len(raw.ids) == 4 * len(folders)
    assert f"{folders[0]}/cat/000.png" in raw.ids


def test_a_class_may_be_called_train_and_folders_beside_splits_are_named() -> None:
    for label in ("train", "bus", "test"):
        save_pictures(Path("vehicles"), label, 1)
    assert image_folder("vehicles").class_names == ["bus", "test", "train"]
    save_pets("train", "test")
    Path("pets/documents").mkdir()
    Path("pets/test/cat/000.png").rename("pets/test/000.png")
    raw = image_folder("pets")
    assert raw.class_names == ["cat", "dog"]
    assert raw.notes == [
        "Left out: 1 folder stands beside the splits (documents).",
        "Left out: 1 picture lies in no class folder (000.png).",
    ]


def test_classes_of_numbers_come_by_value() -> None:
    for label in ("10", "9", "2"):
        save_pictures(Path("digits"), label, 1)
    assert image_folder("digits").class_names == ["2", "9", "10"]


def test_the_machine_and_the_order_of_files_change_no_id_no_hash_and_no_pixel() -> None:
    for label in ("café", "猫"):
        save_pictures(Path("here"), label, 3)
    for path in sorted(Path("here").rglob("*.png"), reverse=True):
        decomposed = Path("there", str(path.relative_to("here")).replace("é", "e\u0301"))  # as some file systems do
        decomposed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, decomposed)
    _, first, here = prepared("here")
    pixels = np.array(InputsFile("out/inputs.safetensors").verified())
    _, second, there = prepared(str(Path("there").absolute()))
    assert here.equals(there)
    assert first["dataset_digest"] == second["dataset_digest"]
    assert np.array_equal(InputsFile("out/inputs.safetensors").verified(), pixels)


def test_two_names_that_differ_in_how_accents_are_written_are_one_id() -> None:
    for label in ("café", "cafe\u0301", "tea"):
        save_pictures(Path("drinks"), label, 1)
    raw = image_folder("drinks")
    assert raw.class_names == ["café", "tea"]
    assert raw.skipped == [("café/000.png", "another has this name, but for how its accents are written")]


def test_a_nasty_folder_is_one_data_set_with_a_list_of_what_was_skipped_and_why() -> None:
    save_nasty_folder(Path("pets"), each=3)
    os.mkfifo(f"pets/{NAMES[5]}/pipe.png")
    Path("pets", NAMES[5], os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    said, manifest, examples = prepared("pets")
    odd, broken = save_odd_pictures(Path("odd")), save_unreadable(Path("broken"))
    assert manifest["class_names"] == sorted(NAMES)
    assert set(examples["id"]) == {
        *(f"{name}/{number:03d}.png" for name in NAMES for number in range(3)),
        *(f"{NAMES[0]}/{name}" for name in odd),
        f"{NAMES[2]}/deeper/again.png",
        f"{NAMES[3]}/copy of another class.png",
    }
    skipped = {entry["id"]: entry["reason"] for entry in manifest["skipped"]}
    assert skipped.keys() == {
        *(f"{folder}/{name}" for folder in (NAMES[1], "all broken") for name in broken),
        f"{NAMES[4]}/circle",
        f"{NAMES[5]}/pipe.png",
        f"{NAMES[5]}/caf\\xe9.png",
    }
    assert skipped[f"{NAMES[5]}/pipe.png"] == "it is no file"
    assert skipped[f"{NAMES[5]}/caf\\xe9.png"] == "its name is not valid Unicode"
    assert manifest["notes"] == [
        "Left out: 1 class folder holds no picture (empty class).",
        "Left out: 1 picture lies in no class folder (in no class.png).",
        f"Left out: 3 files are no pictures ({NAMES[4]}/Thumbs.db, {NAMES[4]}/notes.txt, README).",
        "2 pictures have several frames or pages, of which the first is taken.",
        'No example of "all broken" can be read, so the data set goes without that class.',
    ]
    assert said[-1].startswith("21 examples were skipped: ")
    assert not any("\n" in sentence for sentence in said)
    same = examples.loc[examples["id"].str.contains("again|copy|a\nb/000"), "content_hash"]
    assert (len(same), same.nunique()) == (3, 1)


def test_a_folder_without_two_classes_is_one_sentence() -> None:
    save_pictures(Path("pets/all"), "cat", 1)
    expected = r"expected one folder for each class, as in pets/cat/1\.jpg and pets/dog/2\.jpg"
    with pytest.raises(HeftError, match=rf"^pets holds pictures of one class, all; {expected}\.$"):
        image_folder("pets")
    save_pictures(Path("pets/all"), "dog", 1)
    with pytest.raises(HeftError, match=r"; if its folders are the classes, name pets/all\.$"):
        image_folder("pets")
    Path("few").mkdir()
    with pytest.raises(HeftError, match=r"^few holds no picture; expected one .* or a CSV file with the columns path"):
        image_folder("few")
    Image.fromarray(gradient()).save("few/a.png")
    with pytest.raises(HeftError, match=r"^few has 1 of its pictures in no class folder; "):
        image_folder("few")


def test_pictures_none_of_which_can_be_read_are_one_sentence() -> None:
    for label in ("cat", "dog"):
        Path("pets", label).mkdir(parents=True)
        Path("pets", label, "a.jpg").touch()
    with pytest.raises(HeftError, match=r"none of 2 inputs can be read; the first, cat/a\.jpg: the file is empty\.$"):
        prepared("pets")
    save_pictures(Path("pets"), "dog", 1)
    with pytest.raises(HeftError, match=r'no example of "cat" can be read, which leaves one class, dog\.$'):
        prepared("pets")
    assert not Path("out/manifest.json").exists()


def test_the_page_says_each_option_and_its_default() -> None:
    page = (ROOT / "docs/your_data.md").read_text(encoding="utf-8").partition("## Images")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]*) \|", page, re.MULTILINE))
    said = {name: default.strip("`") for names, default in rows.items() for name in re.findall(r"`(\w+)`", names)}
    options = find("data/sources", "image_folder").options
    assert said.keys() == options.keys()
    shown = {name: str(option.default) for name, option in options.items() if name in ("size", "fit")}
    assert {name: said[name] for name in shown} == shown
