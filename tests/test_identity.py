"""Each project is told from every other: a moved folder keeps its identity, a copy takes one of its own."""

import json
import multiprocessing
import shutil
import subprocess
from pathlib import Path

import pytest
from workspace import ROOT

from heft.errors import HeftError
from heft.workflow.identity import FILE, Former, identity, project_of
from heft.workflow.places import STATE
from heft.workflow.tracking.records import RunRecord, read_events


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_the_same_folder_has_the_same_identity_each_time(project: Path) -> None:
    assert identity(project) == identity(project)
    assert project_of(project) == identity(project).project


def test_two_folders_have_two_identities(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert identity(project).project != identity(tmp_path / "other").project


def test_a_moved_folder_keeps_its_identity_and_knows_where_it_was(project: Path, tmp_path: Path) -> None:
    first = identity(project)
    moved = identity(project.rename(tmp_path / "moved"))
    assert (moved.project, moved.folder) == (first.project, str(tmp_path / "moved"))
    assert moved.former == (Former(first.project, str(project)),)
    back = identity((tmp_path / "moved").rename(project))
    assert (back.project, back.folder) == (first.project, str(project))


def test_a_copy_takes_an_identity_of_its_own_and_the_original_keeps_its_own(project: Path, tmp_path: Path) -> None:
    first = identity(project)
    copied = identity(shutil.copytree(project, tmp_path / "copy"))
    assert copied.project != first.project
    assert copied.former == (Former(first.project, str(project)),)
    assert identity(tmp_path / "copy") == copied
    assert identity(project) == first
    second = identity(shutil.copytree(tmp_path / "copy", tmp_path / "copy of the copy"))
    assert second.project not in (first.project, copied.project)
    assert second.former == (*copied.former, Former(copied.project, str(tmp_path / "copy")))


def test_a_folder_whose_former_place_another_project_took_was_moved(project: Path, tmp_path: Path) -> None:
    first = identity(project)
    project.rename(tmp_path / "moved")
    project.mkdir()
    assert identity(project).project != first.project
    assert identity(tmp_path / "moved").project == first.project


def test_a_link_to_the_folder_is_the_folder(project: Path, tmp_path: Path) -> None:
    first = identity(project)
    (tmp_path / "link").symlink_to(project)
    assert identity(tmp_path / "link") == first


def project_in(folder: str) -> str:
    return identity(Path(folder)).project


def test_processes_that_ask_at_once_agree(project: Path, tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        assert len(set(pool.map(project_in, [str(project)] * 32))) == 1
        copied = shutil.copytree(project, tmp_path / "copy")
        assert len(set(pool.map(project_in, [str(copied)] * 32))) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"project": 5, "folder": "/", "former": []}', '{"project": "a"}'])
def test_a_damaged_identity_is_one_sentence_and_is_not_replaced(project: Path, text: str) -> None:
    identity(project)
    (project / STATE / FILE).write_text(text)
    with pytest.raises(HeftError, match=r"identity.json is damaged"):
        identity(project)
    assert (project / STATE / FILE).read_text() == text


def test_a_record_names_the_project_that_made_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    made = identity()
    with RunRecord.start("results/e/record.jsonl", "e", "train", seed=0):
        pass
    assert read_events("results/e/record.jsonl")[0]["project"] == made.project


def test_the_identity_is_a_file_that_a_person_can_read(project: Path) -> None:
    made = identity(project)
    facts = json.loads((project / STATE / FILE).read_text())
    assert facts == {"project": made.project, "folder": str(project), "former": []}


def test_make_clean_keeps_the_identity_and_nothing_else(project: Path) -> None:
    made = identity(project)
    for file in (".heft/failed/x.record.jsonl", ".heft/configurations.json", "results/e/a", "logs/b", "mlruns/1/c"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).touch()
    shutil.copy(ROOT / "Makefile", project)
    subprocess.run(["make", "-s", "clean"], cwd=project, check=True)
    assert {str(path.relative_to(project)) for path in project.rglob("*")} == {"Makefile", ".heft", f"{STATE}/{FILE}"}
    assert identity(project) == made
