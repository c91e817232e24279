"""A run starts its warm process where it may, and leaves nothing of it behind."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from heft.errors import HeftError
from heft.workflow.runtime.hand_over import VARIABLE
from heft.workflow.runtime.warm_process import SWITCH, WarmProcess, start_warm_process


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warm process that only makes its address and waits."""
    file = tmp_path / "warm.py"
    file.write_text("import sys; open(sys.argv[1], 'w').close(); sys.stdin.read()")
    monkeypatch.delenv(VARIABLE, raising=False)
    return file


def test_runs_in_two_folders_have_sockets_of_their_own_that_no_other_account_reaches(script: Path) -> None:
    processes, folders = [], []
    for _ in range(2):
        processes.append(WarmProcess(script))
        folders.append(Path(os.environ[VARIABLE]).parent)
    assert folders[0] != folders[1]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700, 0o700]
    for process in processes:
        process.end()
    assert VARIABLE not in os.environ
    assert not any(folder.exists() for folder in folders)


def test_a_long_folder_for_temporary_files_is_too_long_for_a_socket_and_passed_over(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("данные " * 12)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    process = WarmProcess(script)
    assert len(os.fsencode(os.environ[VARIABLE])) < 108
    process.end()


def test_without_a_folder_for_temporary_files_a_run_has_no_warm_process(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert start_warm_process(True, script) is None
    assert VARIABLE not in os.environ


@pytest.mark.parametrize(("switch", "local", "warm"), [("on", True, True), ("off", True, False), ("on", False, False)])
def test_the_warm_process_can_be_switched_off_and_serves_jobs_on_this_machine_alone(
    script: Path, monkeypatch: pytest.MonkeyPatch, switch: str, local: bool, warm: bool
) -> None:
    monkeypatch.setenv(SWITCH, switch)
    process = start_warm_process(local, script)
    assert (process is not None, VARIABLE in os.environ) == (warm, warm)
    if process is not None:
        process.end()


def test_a_switch_that_says_neither_on_nor_off_is_refused(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")
    with pytest.raises(HeftError, match=f'{SWITCH} is "1"; it must be on or off'):
        start_warm_process(True, script)
