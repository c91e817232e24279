"""Files that can go: of what is no longer asked for, and what writers that were killed have left; links stay links."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from heft.workflow.housekeeping.features import encoder_of_file, name_in
from heft.workflow.housekeeping.makers import Kept, Makers
from heft.workflow.housekeeping.unplanned import Planned
from heft.workflow.places import FAILED, STATE
from heft.workflow.processes import lives
from heft.workflow.tracking.records import read_deliverable

TOPS = ("results", "logs", "reports")
# What heft.atomic_files.atomic_path writes under: .name.process.hex.tmp
TEMPORARY = re.compile(r"\..+\.(?P<process>[0-9]+)\.[0-9a-f]{8}\.tmp")
LEFT = "left by a process that was killed"


@dataclass(frozen=True)
class Removable:
    """A file that can go, for what it was made, or why it is there, its size in bytes, and why it stays unasked."""

    path: str
    what: str
    size: int
    kept: Kept | None = None


def removable_files(planned: Planned, makers: Makers) -> list[Removable]:
    """All that can go, in the order of paths; nothing where a top folder is itself a symbolic link."""
    removable = []
    for path, size in _files(TOPS):
        if what := _left(path):
            removable.append(Removable(path, what, size))
        elif what := planned.of_file(path):
            removable.append(Removable(path, what, size, makers.keeps_file(path)))
    for path, size in _files((str(STATE),)):
        if what := _left(path):
            removable.append(Removable(path, what, size))
        elif Path(path).parent == FAILED and (what := planned.of_run(key := _key_of_failed_run(path))):
            removable.append(Removable(path, what, size, makers.keeps_run(key)))
        elif (encoder := encoder_of_file(path)) and not planned.asks_for_features(encoder):
            what = f"features by {name_in(encoder)}, kept for all experiments"
            removable.append(Removable(path, what, size, makers.keeps_features(encoder)))
    return sorted(removable, key=lambda file: file.path)


def unknown_files(planned: Planned) -> list[str]:
    """Files that no rule writes and nobody left half-written: they are a person's, and stay."""
    return sorted(
        path for path, _ in _files(TOPS) if not planned.has_shape(path) and not TEMPORARY.fullmatch(Path(path).name)
    )


def links() -> list[str]:
    """Top folders that are symbolic links, and are therefore not looked into."""
    return [top for top in (*TOPS, str(STATE)) if Path(top).is_symlink()]


def remove_files(files: Iterable[Removable]) -> None:
    """Removes files, then the folders of theirs that are empty; one that is gone already is no mistake."""
    folders = set()
    for file in files:
        path = Path(file.path)
        path.unlink(missing_ok=True)
        folders |= {Path(*path.parts[:2])} if path.parts[0] in TOPS else set()
    for folder in folders:
        for place, _, _ in os.walk(folder, topdown=False):
            if not os.listdir(place):
                os.rmdir(place)


def _files(tops: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Path and size of the regular files below; neither links nor what they point to."""
    for top in tops:
        if Path(top).is_symlink():
            continue
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                facts = os.lstat(path)
                if stat.S_ISREG(facts.st_mode):
                    yield path, facts.st_size


def _left(path: str) -> str:
    """Says so where a file is the temporary one of a writer that does not live any more."""
    match = TEMPORARY.fullmatch(Path(path).name)
    return LEFT if match and not lives(int(match["process"])) else ""


def _key_of_failed_run(path: str) -> str:
    """The key of the run whose record waits here for its delivery; empty where it holds none."""
    return next((event["key"] for event in read_deliverable(path)[0] if event["event"] == "start"), "")
