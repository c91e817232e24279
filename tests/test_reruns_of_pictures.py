"""What runs `prepare` again for pictures, and what does not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from picture_cases import gradient, image_folder, save_pets, save_pictures, write_table
from PIL import Image

from heft.artifacts import read_json, read_parquet
from heft.data.prepare import prepare
from heft.workflow.planning.code import source_files
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_files

Change = Callable[[], Any]


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, below which data and results lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan_of(source: Any) -> Plan:
    data = {"source": source, "train": 4, "validation": 2, "test": 2, "noise": {"kind": "none"}}
    mine = {"data": data, "methods": ["loss"], "fractions": [0.5], "ensembles": []}
    return load_plan({"experiments": ["mine"], "definitions": {"mine": mine}}, [Path("config.yaml")])


def run(plan: Plan) -> str:
    """Does what the rule `prepare` does; the state of the files that it ran with."""
    state, source = state_of_files(plan, "mine"), plan.source("mine")
    prepare(source["name"], None, Path("results/mine/data"), source["options"], files=state)
    return state


def changes_of(folder: Path) -> list[Change]:
    """What makes another data set of a folder of class folders."""
    return [
        lambda: Image.fromarray(gradient(seed=9)).save(folder / "cat/000.png"),
        lambda: save_pictures(folder, "cow", 1),
        lambda: (folder / "cow/000.png").unlink(),
        lambda: (folder / "cat/001.png").rename(folder / "dog/002.png"),
        lambda: (folder / "cat/cut.png").write_bytes(b""),
    ]


def test_a_picture_that_is_changed_added_moved_or_deleted_runs_prepare_again_and_a_touch_does_not() -> None:
    save_pets()
    plan = plan_of({"image_folder": {"path": "pets", "size": 8}})
    ran = run(plan)
    for change in changes_of(Path("pets")):
        for path in Path("pets").rglob("*"):
            os.utime(path, ns=(1, 1))
        Path("pets/.DS_Store").write_bytes(os.urandom(8))
        assert state_of_files(plan, "mine") == ran
        change()
        assert state_of_files(plan, "mine") != ran
        ran = run(plan)


def test_the_same_holds_for_a_folder_that_a_persons_own_function_names_in_files(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEFT_MODULES", str(beside))
    save_pets()
    Path("my_pictures.py").write_text(
        "from pathlib import Path\nimport numpy as np\n\n"
        "def load():\n"
        "    paths = sorted(Path('pets').glob('*/*.png'))\n"
        "    labels = [path.parent.name for path in paths]\n"
        "    return {'inputs': np.eye(len(paths)), 'labels': labels, 'files': {'pets': 'pets'}}\n"
    )
    plan = plan_of("my_pictures:load")
    ran = run(plan)
    assert state_of_files(plan, "mine") == ran
    for change in changes_of(Path("pets")):
        for path in Path("pets").rglob("*"):
            os.utime(path, ns=(1, 1))
        assert state_of_files(plan, "mine") == ran
        change()
        assert state_of_files(plan, "mine") != ran
        ran = run(plan)
    assert read_json("results/mine/data/manifest.json")["files"].keys() == {
        "pets/cat/000.png", "pets/cat/cut.png", "pets/dog/000.png", "pets/dog/001.png", "pets/dog/002.png"
    }  # fmt: skip


def test_what_prepare_runs_knows_the_code_that_decodes() -> None:
    save_pets()
    plan = plan_of({"image_folder": {"path": "pets"}})
    followed = plan.look.fingerprint(*source_files(plan, "mine"))
    assert {f"heft.data.pictures.{name}" for name in ("decode", "colours", "class_folders")} <= set(followed)
    assert plan.source_threads("mine") == 4


def test_a_path_that_is_not_there_or_has_no_label_is_skipped_and_one_that_comes_is_read() -> None:
    save_pets()
    table = write_table("path,label\npets/cat/000.png,cat\npets/dog/000.png,dog\nnew.png,cat\npets/dog/001.png,\n")
    raw = image_folder(table)
    assert raw.skipped == [("new.png", "there is no such file"), ("pets/dog/001.png", "it has no label (line 5)")]
    plan = plan_of({"image_folder": {"path": table, "size": 8}})
    ran = run(plan)
    Image.fromarray(gradient()).save("new.png")
    assert state_of_files(plan, "mine") != ran
    ran = run(plan)
    assert state_of_files(plan, "mine") == ran
    assert "new.png" in set(read_parquet("results/mine/data/examples.parquet")["id"])
