"""What the tests of faults share: an undisturbed run, and how another is compared with it."""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
from workspace import Workspace, each_run_once

from heft.evaluation.columns import COST_COLUMNS


def table_of(workspace: Workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.folder / "reports/small/comparison.csv").drop(columns=list(COST_COLUMNS))


def assert_as_undisturbed(workspace: Workspace, undisturbed: Workspace) -> None:
    """The same table cost aside, each tracked run once, and nothing left to do."""
    pd.testing.assert_frame_equal(table_of(workspace), table_of(undisturbed), check_exact=True)
    assert each_run_once(workspace.folder) == each_run_once(undisturbed.folder)
    assert set(each_run_once(workspace.folder).values()) == {"FINISHED"}
    assert workspace.plan() == []


def wait_for(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "the run ended before what the test waits for"
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.01)


def process_of(script: str, folder: Path) -> int:
    """The process that runs a script of the workflow in a folder; not one of those that it forked."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            arguments = (place / "cmdline").read_bytes().split(b"\0")
            if (place / "cwd").resolve() == folder and len(arguments) > 1 and arguments[1].endswith(script.encode()):
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    return next(process for process, parent in parents.items() if parent not in parents)


def digests(workspace: Workspace) -> dict[str, str]:
    """SHA-256 of the results whose bytes do not depend on what computing them cost."""
    results = workspace.folder / "results"
    files = [*results.rglob("*.parquet"), *results.rglob("*.safetensors"), *results.rglob("manifest.json")]
    return {
        file.relative_to(results).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        # scores/*/members.parquet holds seconds; train/states and retrained/ are removed when they were used
        if file.name != "members.parquet" and not {"retrained", "train"} & set(file.parts)
    }


KILLED_ONCE = """
    import os

    if not os.path.exists("met"):
        open("met", "w").close()
        os.kill(os.getpid(), 9)
"""


def set_clock_back(workspace: Workspace, *parts: str) -> None:
    """What is below these folders was made before the clock was set back by an hour."""
    for part in parts:
        for file in (workspace.folder / "results/small" / part).rglob("*"):
            date = file.stat().st_mtime + 3600
            os.utime(file, (date, date))


BY_DATES_ALONE = ("--max-checksum-file-size", "0")  # as Snakemake judges the large files of real data
