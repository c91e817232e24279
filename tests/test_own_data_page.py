"""The page on a person's own data says each option, and what it shows can be asked for; what changed reruns."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from heft.data.prepare import prepare
from heft.errors import HeftError
from heft.registry import find
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_files

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/your_data.md").read_text(encoding="utf-8")
SECTIONS = {"text": "Texts", "arrays": "Arrays", "hf_dataset": "Hugging Face datasets"}


def section(source: str) -> str:
    return PAGE.partition(f"\n## {SECTIONS[source]}\n")[2].partition("\n## ")[0]


def plan_of(data: dict[str, Any], **settings: Any) -> Plan:
    if "text" in data["source"] and not settings:
        settings = {"encoder": "hashed_words"}
    sizes = {"train": 6, "validation": 3, "test": 3, "noise": {"kind": "none"}}
    mine = {"data": {**sizes, **data}, "methods": ["loss"], "fractions": [0.5], "ensembles": [], **settings}
    return load_plan({"experiments": ["mine"], "definitions": {"mine": mine}}, [Path("config.yaml")])


@pytest.mark.parametrize("source", SECTIONS)
def test_the_page_says_each_option(source: str) -> None:
    options = re.search(r"^\| option .*?\n\n", section(source), re.MULTILINE | re.DOTALL)
    assert options is not None
    named = {name for row in options[0].split("\n|")[2:] for name in re.findall(r"`(\w+)`", row.split("|")[0])}
    assert named == find("data/sources", source).options.keys()


def shown_sources() -> list[dict[str, Any]]:
    blocks = (block for source in SECTIONS for block in re.findall(r"```yaml\n(.*?)```", section(source), re.DOTALL))
    return [yaml.safe_load(line)["data"] for block in blocks for line in block.splitlines() if line.startswith("data:")]


@pytest.mark.parametrize("data", shown_sources(), ids=str)
def test_what_the_page_shows_can_be_asked_for(
    data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ((name, options),) = data["source"].items()
    for option in find("data/sources", name).fields["paths"]:
        if option in options:
            Path(options[option].partition(":")[0]).touch()
    assert plan_of(data).source("mine") == {"name": name, "options": options}


@pytest.mark.parametrize(
    ("data", "encoder", "sentence"),
    [
        ({"text": {"path": "a.csv"}}, None, "is null, and data source text gives texts, which no model takes; name an"),
        ({"text": {"path": "a.csv"}}, None, "name an encoder: hashed_words, minilm, sentence_transformers_folder, or "),
        ({"text": {"path": "a.csv"}}, "efficientnet_lite0", 'is "efficientnet_lite0", which takes images, but data so'),
        ({"image_folder": {"path": "a.csv"}}, "hashed_words", 'is "hashed_words", which takes texts, but data source '),
        ({"table": {"path": "a.csv", "target": "y"}}, "hashed_words", "encoders of mixed_columns: none is registered"),
    ],
)
def test_an_encoder_that_does_not_fit_the_source_stops_before_any_job(
    data: dict[str, Any], encoder: str | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").touch()
    with pytest.raises(HeftError) as caught:
        plan_of({"source": data}, encoder=encoder)
    assert str(caught.value).startswith("config.yaml: definitions.mine.encoder is ")
    assert sentence in str(caught.value)


def save_texts(folder: Path) -> dict[str, Any]:
    (folder / "a.csv").write_text("text,label\n" + "".join(f"text {row},{row % 2}\n" for row in range(8)))
    return {"text": {"path": "a.csv"}}


def save_text_files(folder: Path) -> dict[str, Any]:
    for row in range(8):
        (folder / "texts" / str(row % 2)).mkdir(parents=True, exist_ok=True)
        (folder / "texts" / str(row % 2) / f"{row}.txt").write_text(f"text {row}")
    return {"text": {"path": "texts"}}


def save_arrays(folder: Path) -> dict[str, Any]:
    np.save(folder / "x.npy", np.arange(16.0).reshape(8, 2))
    np.savez(folder / "more.npz", y=np.arange(8) % 2)
    return {"arrays": {"inputs": "x.npy", "labels": "more.npz:y"}}


def save_dataset(folder: Path) -> dict[str, Any]:
    shutil.copytree(ROOT / "tests/saved_datasets/texts", folder / "texts")
    return {"hf_dataset": {"path": "texts"}}


CHANGES = [
    (save_texts, "a.csv", "b.csv"),
    (save_text_files, "texts/0/2.txt", "texts/1/more.txt"),
    (save_arrays, "more.npz", "z.npy"),
    (save_dataset, "texts/dataset_info.json", "texts/more.json"),
]


@pytest.mark.parametrize(("save", "changed", "added"), CHANGES)
def test_a_changed_file_makes_the_data_anew_a_touched_one_does_not(
    save: Callable[[Path], dict[str, Any]],
    changed: str,
    added: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = {"source": save(tmp_path)}

    def state() -> str:
        return state_of_files(plan_of(data), "mine")

    ran, source = state(), plan_of(data).source("mine")
    prepare(source["name"], None, Path("results/mine/data"), source["options"], files=ran)
    for file in [*tmp_path.rglob("*.*")]:
        os.utime(file, ns=(1, 1))
    assert state() == ran
    Path(added).write_text("more")
    assert (state() == ran) == ("/" not in added)  # a folder is read as a whole, a file alone
    Path(added).unlink()
    assert state() == ran
    Path(changed).write_bytes(Path(changed).read_bytes() + b"\n ")
    assert state() != ran
