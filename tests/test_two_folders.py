"""Two runs at the same time in two folders, of any name, know nothing of each other."""

import subprocess
import sys

import pytest
from fault_cases import assert_as_undisturbed
from made_once import finished_run
from workspace import TINY, Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose run nobody disturbed."""
    return finished_run(tmp_path_factory, "tiny")[0]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Workspace]:
    """Two runs at the same time in two folders, one of them with spaces and letters of two alphabets in its path."""
    folders = (tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("named") / "Проект 数据 x")
    folders[1].mkdir()
    workspaces = (Workspace(folders[0], TINY), Workspace(folders[1], TINY))
    processes = [workspace.start() for workspace in workspaces]
    for process in processes:
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        assert "Traceback" not in printed
    return workspaces


def test_two_runs_at_the_same_time_in_two_folders_know_nothing_of_each_other(
    pair: tuple[Workspace, Workspace], undisturbed: Workspace
) -> None:
    for workspace in pair:
        assert_as_undisturbed(workspace, undisturbed)


def test_a_path_with_spaces_and_other_alphabets_is_a_path_like_any_other(pair: tuple[Workspace, Workspace]) -> None:
    named = pair[1]
    assert named.run().strip() == "Nothing to be done; up to date: reports/small/index.html"
    assert (named.folder / "reports/small/index.html").stat().st_size > 10_000
    deliver = [sys.executable, str(named.folder / "workflow_scripts/deliver.py"), "--once"]
    answer = subprocess.run(
        deliver, cwd=named.folder, env=named.environment(), capture_output=True, text=True, check=True
    )
    assert answer.stdout == "Runs delivered to sqlite:///mlflow.db: 0\n"
