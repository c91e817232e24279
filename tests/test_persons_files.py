"""Files that options name are known by their content: what is changed, added or deleted reruns, a touch does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from heft.data.prepare import prepare
from heft.data.read_files import files_below
from heft.registry import added_folder
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_files

SOURCE = """
from pathlib import Path
import numpy as np
from heft.data.sources.declare import RawData, source

@source(paths=["path"])
def first_letters(data_dir, *, path: str):
    files = sorted(Path(path).glob("*.txt"))
    labels = [file.read_text()[0] for file in files]
    inputs = np.eye(len(files), dtype=np.float32)
    return RawData(inputs, labels, [file.name for file in files], files={file.name: file for file in files})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of files of a person's own, one of which the source does not read; the working folder is beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "first_letters.py").write_text(SOURCE)
    (tmp_path / "pets").mkdir()
    for name, content in {"a.txt": "cat", "b.txt": "dog", "README": "cats and dogs", ".hidden": ""}.items():
        (tmp_path / "pets" / name).write_text(content)
    with added_folder("data/sources", tmp_path / "sources"):
        yield tmp_path / "pets"


def plan() -> Plan:
    data = {"source": {"first_letters": {"path": "pets"}}, "train": 6, "validation": 3, "test": 3}
    mine = {"data": {**data, "noise": {"kind": "none"}}, "methods": ["loss"], "fractions": [0.5], "ensembles": []}
    return load_plan({"experiments": ["mine"], "definitions": {"mine": mine}}, [Path("config.yaml")])


def run() -> str:
    """Does what the rule does; the state that it ran with."""
    state = state_of_files(plan(), "mine")
    prepare("first_letters", None, Path("results/mine/data"), {"path": "pets"}, files=state)
    return state


def test_a_file_that_is_changed_added_or_deleted_makes_the_data_anew_and_nothing_else_does(folder: Path) -> None:
    ran = run()
    assert state_of_files(plan(), "mine") == ran
    for file in folder.iterdir():
        os.utime(file, ns=(1, 1))
    (folder / ".also_hidden").write_text("x")
    assert state_of_files(plan(), "mine") == ran
    for change in (
        lambda: (folder / "a.txt").write_text("cow"),
        lambda: (folder / "README").write_text("cows and dogs"),
        lambda: (folder / "c.txt").write_text("dog"),
        lambda: (folder / "b.txt").unlink(),
        lambda: (folder / "c.txt").rename(folder / "d.txt"),
    ):
        change()
        assert state_of_files(plan(), "mine") != ran
        ran = run()
        assert state_of_files(plan(), "mine") == ran


def test_links_that_lead_in_a_circle_or_nowhere_stand_for_themselves(folder: Path) -> None:
    (folder / "again").symlink_to(folder)
    (folder / "gone").symlink_to(folder / "nothing")
    (folder / "far").mkdir()
    (folder / "far" / "c.txt").write_text("cat")
    (folder / "near.txt").symlink_to(folder / "far" / "c.txt")
    found = [file.relative_to(folder).as_posix() for file in files_below(folder)]
    assert found == ["README", "a.txt", "again", "b.txt", "far/c.txt", "gone", "near.txt"]
    ran = run()
    assert state_of_files(plan(), "mine") == ran


def test_a_path_that_is_not_there_stops_before_any_job(folder: Path) -> None:
    folder.rename(folder.with_name("animals"))
    with pytest.raises(Exception, match=r'source\.first_letters\.path is "pets", which is in none of '):
        plan()
