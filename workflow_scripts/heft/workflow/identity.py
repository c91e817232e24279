"""Tells this project from every other one, its own copies included: a random id beside the path of its folder.

If the id is read in the folder that it was written in, or in the place that this folder was moved to, it stays. If the
folder that it names still exists with the same id, this folder is a copy, and takes a new one. Of a copy and its
original that were both moved before either was used again, neither can be told from the other by its path.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from heft.atomic_files import atomic_path
from heft.errors import HeftError
from heft.workflow.places import STATE

FILE = "identity.json"


@dataclass(frozen=True)
class Former:
    """A folder that this one was moved or copied from, and the project's id there."""

    project: str
    folder: str


@dataclass(frozen=True)
class Identity:
    """The project's id, its folder, and where it came from; a former id that differs is that of a copy's original."""

    project: str
    folder: str
    former: tuple[Former, ...] = ()


def identity(folder: Path | None = None) -> Identity:
    """The identity of the project in a folder (the present one), made where there is none, brought up to date.

    Raises HeftError where its file is damaged, OSError where it cannot be written.
    """
    here = (folder or Path.cwd()).resolve()
    (here / STATE).mkdir(exist_ok=True)
    with _one_at_a_time(here):
        recorded = _read(here)
        present = _brought_up_to_date(recorded, here) if recorded else Identity(uuid.uuid4().hex, str(here))
        if present != recorded:
            with atomic_path(here / STATE / FILE) as temporary:
                temporary.write_text(json.dumps(asdict(present), indent=1) + "\n", encoding="utf-8")
    return present


def project_of(folder: Path | None = None) -> str:
    """The project's id as it is written down, without a look at where it came from; empty where there is none yet."""
    recorded = _read((folder or Path.cwd()).resolve())
    return recorded.project if recorded else ""


def _brought_up_to_date(recorded: Identity, here: Path) -> Identity:
    written_in = Path(recorded.folder)
    if written_in == here or _same(written_in, here):
        return recorded
    former = (*recorded.former, Former(recorded.project, recorded.folder))
    is_copy = project_of_other(written_in) == recorded.project
    project = uuid.uuid4().hex if is_copy else recorded.project
    return replace(recorded, project=project, folder=str(here), former=former)


def project_of_other(folder: Path) -> str:
    """The id of the project in another folder; empty where there is none that can be read."""
    with suppress(HeftError, OSError):
        return project_of(folder)
    return ""


def _same(folder: Path, other: Path) -> bool:
    """Whether two paths lead to one folder, as through a mount."""
    try:
        return folder.samefile(other)
    except OSError:
        return False


def _read(folder: Path) -> Identity | None:
    file = folder / STATE / FILE
    try:
        facts = json.loads(file.read_bytes())
        former = tuple(Former(str(place["project"]), str(place["folder"])) for place in facts["former"])
        if not isinstance(facts["project"], str) or not facts["project"].isalnum():
            raise ValueError
        return Identity(facts["project"], str(facts["folder"]), former)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HeftError(
            f"{file} is damaged: it tells this project's runs in the tracking store from those of others; restore it, "
            "or delete it to begin as a new project, whose earlier runs then stay as they are."
        ) from error


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / STATE / "identity.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with suppress(OSError):  # a file system without locks: the file is still written whole
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
