"""Which jobs a run would do again."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workspace import SMALL, PlannedJob, Workspace

AFTER_SCORES = {"score", "prune", "retrain", "evaluate"}


REPORT = {"report", "index"}


def with_change(**changes: Any) -> dict[str, Any]:
    settings = copy.deepcopy(SMALL)
    settings["definitions"]["small"].update(changes)
    return settings


def variants_of(jobs: list[PlannedJob], rules: set[str]) -> set[str]:
    return {job.variant for job in jobs if job.rule in rules}


def rules_of(jobs: list[PlannedJob]) -> set[str]:
    return {job.rule for job in jobs} - {"all"}


def add_a_line(workspace: Workspace, *patterns: str) -> int:
    """Adds a statement to files of the house; the number of files."""
    house = workspace.folder / "workflow_scripts/heft"
    files = [file for pattern in patterns for file in house.glob(pattern) if file.name != "__init__.py"]
    for file in files:
        file.write_text(file.read_text() + "\n\nEDITED = True\n")
    return len(files)


@contextmanager
def put_back(workspace: Workspace) -> Iterator[None]:
    """Puts the files of the workflow that are edited within the block back, with their dates."""
    folders = [workspace.folder / part for part in ("workflow_scripts", "rules")]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    kept = {file: (file.read_bytes(), file.stat()) for file in [*files, workspace.folder / "small.yaml"]}
    yield
    for file, (content, stat) in kept.items():
        if file.read_bytes() != content:
            file.write_bytes(content)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
