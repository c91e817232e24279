"""What is kept of the files that a source has read, so that a later run finds out whether they changed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heft.artifacts import sha256_of_file


def kept_of(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size, date and SHA-256 of each file; those below the working folder by their path from there."""
    here, kept = Path.cwd(), {}
    for file in files:
        path = file.resolve()
        name = path.relative_to(here) if path.is_relative_to(here) else path
        status = path.stat()
        kept[str(name)] = {"size": status.st_size, "date": status.st_mtime_ns, "sha256": sha256_of_file(path)}
    return kept


def digest_of(path: Path, known: Mapping[str, Any]) -> str:
    """The file's SHA-256, which is the known one where size and date are; empty where there is no file."""
    if not path.is_file():
        return ""
    status = path.stat()
    same = (status.st_size, status.st_mtime_ns) == (known["size"], known["date"])
    return str(known["sha256"]) if same else sha256_of_file(path)
