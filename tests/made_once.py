"""What several files of tests only read, or copy: made once in a session, by whichever process needs it first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from synthetic_report import report_input
from whole_runs import for_slow_tests
from workspace import SMALL, TINY, Workspace

from heft.reporting.page import render_report

RUNS = {"small": SMALL, "tiny": TINY}


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
    """The folder that `make` filled, in this process or another one, and what it returned."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made_once"
    shared.mkdir(exist_ok=True)
    folder, answer = shared / name, shared / f"{name}.txt"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed to make it
            folder.mkdir()
            answer.write_text(make(folder), encoding="utf-8")
    return folder, answer.read_text(encoding="utf-8")


def finished_run(factory: pytest.TempPathFactory, name: str) -> tuple[Workspace, str]:
    """A workspace in which SMALL or TINY was run once, to look at and to copy, and what that run printed."""
    folder, printed = made_once(factory, f"run_{name}", partial(_run, RUNS[name]))
    return Workspace.opened(folder), printed


def copy_of(workspace: Workspace, folder: Path) -> Workspace:
    """A copy of a workspace in a folder that is not there yet, dates included."""
    shutil.copytree(workspace.folder, folder, symlinks=True)
    return Workspace.opened(folder)


def synthetic_page(factory: pytest.TempPathFactory) -> Path:
    """The folder of a complete report with all its figures, to look at."""
    for_slow_tests("a whole report")
    return made_once(factory, "page", _render)[0]


def _run(settings: dict[str, object], folder: Path) -> str:
    return Workspace(folder, settings).run()


def _render(folder: Path) -> str:
    render_report(report_input(), folder)
    return ""
