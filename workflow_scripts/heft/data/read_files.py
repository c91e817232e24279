"""What is kept of the files that a source has read, so that a later run finds out whether they changed."""

import hashlib
import os
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heft.artifacts import sha256_of_file

N_NAMED = 20  # files that are named one by one
NOT_THERE = {"size": 0, "date": 0, "sha256": ""}


@dataclass(frozen=True)
class ReadFiles:
    """What was read. shown: SHA-256 by name, for the provenance. kept: size, date and SHA-256 of each file by
    `name_of`. folders: those that were read as a whole, by `name_of`."""

    shown: dict[str, str]
    kept: dict[str, dict[str, Any]]
    folders: list[str]


def read_files(files: Mapping[str, Path], declared: Container[str] = (), beside: Iterable[Path] = ()) -> ReadFiles:
    """What is kept of files and folders, by their names.

    declared: names of those whose SHA-256 the source declares, which are shown and not kept. beside: files and folders
    that are kept and not shown, such as a file that is not there yet.
    """
    digests: dict[str, str] = {}
    kept: dict[str, dict[str, Any]] = {}
    for name, place in files.items():
        for path in followed(place):
            facts = _facts_of(path)
            if name not in declared:
                kept[name_of(path)] = facts
            below = f"/{path.relative_to(place).as_posix()}" if path != place else ""
            digests[f"{name}{below}"] = facts["sha256"]
    for place in beside:
        for path in followed(place) if place.exists() else [place]:
            if name_of(path) not in kept:
                kept[name_of(path)] = _facts_of(path)
    return ReadFiles(_shown(digests), kept, [name_of(place) for place in files.values() if place.is_dir()])


def files_below(place: Path) -> Iterator[Path]:
    """Each file of a folder and of the folders in it, by name, without what is hidden; of a file itself.

    A folder that cannot be read, or that a link leads back to, stands for itself.
    """
    if place.is_dir():
        yield from _below(place, frozenset())
    elif place.is_file():
        yield place


def followed(place: Path) -> Iterator[Path]:
    """Those of `files_below` whose path is valid Unicode, as an id has to be."""
    return (path for path in files_below(place) if is_unicode(str(path)))


def is_unicode(text: str) -> bool:
    """Whether a path is valid Unicode: a file system may hold names in another encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def name_of(file: Path) -> str:
    """The file's path, from the working folder where it lies below that."""
    here, path = Path.cwd(), file.absolute()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def digest_of(path: Path, known: Mapping[str, Any]) -> str:
    """The file's SHA-256, which is the known one where size and date are; empty where there is no file."""
    if not path.is_file():
        return ""
    status = path.stat()
    same = (status.st_size, status.st_mtime_ns) == (known["size"], known["date"])
    return str(known["sha256"]) if same and known["sha256"] else _sha256_of(path)


def _below(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status, entries = folder.stat(), sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(Path(entry.path), above | {identity})
        else:
            yield Path(entry.path)


def _facts_of(path: Path) -> dict[str, Any]:
    """Of what is no file, or cannot be read, the SHA-256 is empty."""
    if not path.is_file():
        return NOT_THERE
    status = path.stat()
    return {"size": status.st_size, "date": status.st_mtime_ns, "sha256": _sha256_of(path)}


def _sha256_of(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except PermissionError:
        return ""


def _shown(digests: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each file, by its name; of many one of all of them, over names and digests."""
    if len(digests) <= N_NAMED:
        return dict(digests)
    whole = hashlib.sha256()
    for nth, name in enumerate(sorted(digests)):
        whole.update(f"{'' if nth == 0 else chr(10)}{digests[name]} {name}".encode())
    return {f"{len(digests):,} files": whole.hexdigest()}
