"""What only looks at a run changes no file and no date, and says what Snakemake says."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from made_once import copy_of, finished_run
from workspace import Workspace

pytestmark = pytest.mark.slow

LOOKS = (
    ("-np",),
    ("-n", "--quiet"),
    ("-n", "--forcerun", "score"),
    ("-n", "--until", "score"),
    ("-n", "--rerun-triggers", "mtime"),
    ("--summary",),
    ("--dag",),
    ("--list-untracked",),
    ("--report", "../report.html"),
)
# Snakemake's own notes: that it looked, and what it read of the disk.
OWN_NOTES = (".snakemake/log", ".snakemake/iocache")
TARGET = ("--", "results/small/seed0/scores/loss.parquet")
# Without the profile Snakemake shows its own output; the triggers make the same plan.
WITHOUT_PROFILE = ("--workflow-profile", "none", "--rerun-triggers", "mtime", "params", "input", "software-env")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An experiment that was finished, one file of which is dated in the future; without its report."""
    finished = copy_of(finished_run(tmp_path_factory, "tiny")[0], tmp_path_factory.mktemp("looking") / "project")
    shutil.rmtree(finished.folder / "reports")
    future = time.time() + 5000
    os.utime(finished.folder / "results/small/seed0/scores/loss.parquet", (future, future))
    return finished


def dates_and_sizes(folder: Path) -> dict[str, tuple[int, int]]:
    entries = {file.relative_to(folder).as_posix(): file.lstat() for file in [folder, *folder.rglob("*")]}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in entries.items() if not name.startswith(OWN_NOTES)}


def look(workspace: Workspace, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Status and sorted lines of stdout and stderr, without dates and what names the command.

    The parts of a line are sorted too: Snakemake writes resources in an order that differs by process.
    """
    done = subprocess.run(
        workspace.command(*arguments),
        cwd=workspace.folder,
        env=workspace.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    left_out = re.compile(r"  (Date|Workflow ID|Command):|\s*\[|Using workflow specific profile|\s+reason: ")
    return done.returncode, *(
        sorted(", ".join(sorted(re.split(", |: ", line))) for line in text.splitlines() if not left_out.match(line))
        for text in (done.stdout, done.stderr)
    )


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_looking_changes_no_file_and_no_date(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    before = dates_and_sizes(workspace.folder)
    status, out, err = look(workspace, *arguments, *([] if "--list-untracked" in arguments else TARGET))
    assert dates_and_sizes(workspace.folder) == before
    assert status == 0, err
    assert len(out) > 5 or "--report" in arguments


@pytest.mark.parametrize("arguments", [("-np", "--forcerun", "score"), ("--summary",)], ids=" ".join)
def test_what_only_looks_shows_what_snakemake_shows(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    shown = look(workspace, *arguments, *TARGET)
    assert shown == look(workspace, *arguments, *WITHOUT_PROFILE, *TARGET)
    assert any("score" in line for line in shown[1])


def test_a_run_brings_dates_back_from_the_future_and_names_no_report_that_is_not_there(workspace: Workspace) -> None:
    printed = workspace.run(*TARGET)
    assert printed.splitlines()[-1] == "Nothing to be done."
    assert (workspace.folder / "results/small/seed0/scores/loss.parquet").stat().st_mtime < time.time() + 100
