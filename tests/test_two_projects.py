"""Two projects with one experiment name on one store: each keeps exactly its own runs, moved, copied or tidied."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_cases import Project, artifacts, current, live_apart
from tracking_server import Server, served

from heft.workflow.housekeeping.makers import Makers
from heft.workflow.housekeeping.runs import find_runs
from heft.workflow.housekeeping.unplanned import Planned
from heft.workflow.tracking.mlflow_store import Tracker

pytestmark = pytest.mark.slow


def test_projects_that_share_a_sqlite_store_keep_exactly_their_own_runs(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    uri = f"sqlite:///{tmp_path}/store/mlflow.db"
    live_apart(tmp_path, uri)
    assert not (tmp_path / "second").exists()
    with sqlite3.connect(tmp_path / "store/mlflow.db") as store:
        (n_running,) = store.execute("SELECT count(*) FROM runs WHERE status = 'RUNNING'").fetchone()
        places = [place for (place,) in store.execute("SELECT artifact_uri FROM runs")]
    assert n_running == 0
    assert places
    assert all(place.startswith(f"{tmp_path}/store/mlruns/") for place in places)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_projects_that_share_a_server_keep_exactly_their_own_runs(server: Server, tmp_path: Path) -> None:
    live_apart(tmp_path, server.url)


def test_artifacts_of_a_moved_project_move_with_it_and_a_copy_writes_nothing_into_its_original(tmp_path: Path) -> None:
    project = Project(tmp_path / "Проект x")
    project.record("ip", 1.0)
    project.deliver()
    project.move(tmp_path / "moved")
    project.record("loss", 2.0)
    project.deliver()
    assert artifacts(project.folder) == {"ip.json": "1.0", "loss.json": "2.0"}
    assert not (tmp_path / "Проект x").exists()

    copied = project.copy(tmp_path / "copy")
    before = {str(file): file.stat().st_mtime_ns for file in project.folder.rglob("*")}
    copied.record("loss", 3.0)
    copied.deliver()
    assert artifacts(copied.folder) == {"ip.json": "1.0", "loss.json": "3.0"}
    assert copied.runs() == [
        ("shared/seed0/score/ip", "false", 1.0),
        ("shared/seed0/score/loss", "false", 3.0),
        ("shared/seed0/score/loss", "true", 2.0),
    ]
    copied.tidy(Planned({}, []))
    assert {str(file): file.stat().st_mtime_ns for file in project.folder.rglob("*")} == before
    assert project.runs() == current(("ip", 1.0), ("loss", 2.0))


def test_a_project_that_was_moved_before_it_had_an_identity_finds_its_artifacts(tmp_path: Path) -> None:
    project = Project(tmp_path / "old")
    project.record("ip", 1.0)
    project.deliver()
    with sqlite3.connect(project.folder / "mlflow.db") as store:
        store.execute("DELETE FROM tags WHERE key = 'project'")
    shutil.rmtree(project.folder / ".heft")
    project.move(tmp_path / "moved")
    project.deliver()
    assert project.runs() == [], "its runs are older than its identity: neither doubled nor touched"
    project.record("loss", 2.0)
    project.deliver()
    assert artifacts(project.folder) == {"ip.json": "1.0", "loss.json": "2.0"}
    assert not (tmp_path / "old").exists()
    runs = project.inside(lambda: find_runs(Tracker(project.uri, "x"), "x", Planned({}, []), Makers("", {})))
    assert (runs.removable, runs.n_without_project) == ([], 2)
