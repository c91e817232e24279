"""What is kept of the files that a source has read, so that a later run finds out whether they changed."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from heft.artifacts import sha256_of_file

N_NAMED = 20  # files that are named one by one


def files_below(places: Iterable[Path]) -> Iterator[Path]:
    """Each file of some files and folders, without what is hidden; a folder that links lead to twice counts once."""
    seen = set()
    for place in places:
        if place.is_file():
            yield place
        for folder, subfolders, names in os.walk(place, followlinks=True):
            if (real := os.path.realpath(folder)) in seen:
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            files = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
            yield from (file for file in files if file.is_file())


def kept_of(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size, date and SHA-256 of each file, by `name_of`."""
    kept = {}
    for name, file in {name_of(file): file for file in files}.items():
        status = file.stat()
        kept[name] = {"size": status.st_size, "date": status.st_mtime_ns, "sha256": _sha256_of(file)}
    return kept


def name_of(file: Path) -> str:
    """The file's path, from the working folder where it lies below that."""
    here, path = Path.cwd(), file.absolute()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def shown_digests(files: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of each file, by its name; of many one of all of them, over names and digests."""
    digests = {name: sha256_of_file(path) for name, path in files.items()}
    if len(digests) <= N_NAMED:
        return digests
    listed = "\n".join(f"{digest} {name}" for name, digest in sorted(digests.items()))
    return {f"{len(digests):,} files": hashlib.sha256(listed.encode()).hexdigest()}


def digest_of(path: Path, known: Mapping[str, Any]) -> str:
    """The file's SHA-256, which is the known one where size and date are; empty where there is no file."""
    if not path.is_file():
        return ""
    status = path.stat()
    same = (status.st_size, status.st_mtime_ns) == (known["size"], known["date"])
    return str(known["sha256"]) if same else _sha256_of(path)


def _sha256_of(path: Path) -> str:
    """The file's SHA-256; empty where the user may not read it, which says no more than that it is there."""
    try:
        return sha256_of_file(path)
    except PermissionError:
        return ""
