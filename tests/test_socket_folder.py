"""The socket folder of a run goes with it; what a killed run has left goes with the next start, and nothing else."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from heft.workflow.runtime.socket_folder import OWNER, SECONDS_TO_LOCK, SocketFolder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_old(folder: Path) -> None:
    long_ago = time.time() - 2 * SECONDS_TO_LOCK
    os.utime(folder, (long_ago, long_ago))


def test_what_a_killed_run_has_left_is_removed_by_the_next(place: Path) -> None:
    code = "import os, signal; from heft.workflow.runtime.socket_folder import SocketFolder\n"
    code += "open(SocketFolder().path / 'warm', 'w').close(); os.kill(os.getpid(), signal.SIGKILL)"
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    (left,) = place.iterdir()
    SocketFolder().remove()
    assert left.exists(), "a folder this young may belong to a run that is about to lock it"
    make_old(left)
    SocketFolder().remove()
    assert list(place.iterdir()) == []


def test_folders_of_live_runs_and_of_others_stay(place: Path) -> None:
    live = SocketFolder()
    (place / "heft-notes").mkdir()
    (place / "heft-notes" / "mine.txt").touch()
    (place / "heft-notes" / OWNER).touch()
    (place / "heft-empty").mkdir()
    (place / "heft-link").symlink_to(place / "heft-notes")
    for folder in place.iterdir():
        make_old(folder)
    SocketFolder().remove()
    names = {live.path.name, "heft-notes", "heft-empty", "heft-link"}
    assert {folder.name for folder in place.iterdir()} == names
    live.remove()
    assert not live.path.exists()
