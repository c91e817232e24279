"""Fingerprints of a small package, and edits of its files."""

from collections.abc import Sequence
from pathlib import Path

from heft.workflow.planning import fingerprint as module
from heft.workflow.planning.fingerprint import Look


def fingerprint(*files: Path, packages: Sequence[str] = ()) -> dict[str, str]:
    """Of a new look."""
    return Look(module.PACKAGE_ROOT).fingerprint(*files, packages=packages)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    # An edit within one tick of the clock would keep the modification time that the cache goes by.
    import os

    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1_000_000))
