"""The SHA-256 that an artifact carries inside itself: `sha256:` and 64 digits, written with it and checked when read.

The digest is that of the whole file with zeros in the place of the 64 digits. So it can stand wherever a format keeps a
text of its own, it cannot be parted from its file, and no byte of the file goes unseen.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from heft.errors import HeftError

BLANK = "sha256:" + 64 * "0"  # what a writer puts where the digits belong
HEAD_BYTES = 4096  # of a file whose text stands at its start
CHUNK_BYTES = 2**20
_WRITTEN = re.compile(rb"sha256:([0-9a-f]{64})")


def fill_in(path: Path, *, at_start: bool = False) -> None:
    """Puts the digest of a file in the place of its last `BLANK`, or of the first one of its head."""
    with path.open("r+b") as opened:
        found = _find(opened, at_start)
        if found is None:
            raise ValueError(f"{path} has no place for its SHA-256")
        place, _ = found
        digest = _digest(opened, place)
        opened.seek(place)
        opened.write(digest.encode())


def check(path: Path, *, at_start: bool = False) -> None:
    """Raises HeftError naming the file where its bytes are not those of its digest, or it has none."""
    with opened_artifact(path) as opened:
        found = _find(opened, at_start)
        if found is None:
            raise without_checksum(path)
        place, digits = found
        if _digest(opened, place) != digits:
            raise damaged(path)


def damaged(path: str | Path) -> HeftError:
    """The sentence about a file whose content is not what was written."""
    return HeftError(f"{path} was changed after it was written, or is damaged (SHA-256); delete it and run again.")


def without_checksum(path: str | Path) -> HeftError:
    """The sentence about a file in which no SHA-256 is found: it is empty, cut, old, or something else."""
    return HeftError(
        f"{path} is damaged, or was made by an older version: its SHA-256 is not in it; delete it and run again."
    )


@contextmanager
def opened_artifact(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read; raises HeftError where there is none, or something else is in its place."""
    try:
        opened = path.open("rb")
    except FileNotFoundError as error:
        raise HeftError(f"{path} is missing; run again to make it.") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise HeftError(f"{path} is not a file but a folder, or lies in no folder; delete it and run again.") from error
    with opened:
        yield opened


def _find(opened: BinaryIO, at_start: bool) -> tuple[int, str] | None:
    """Where the 64 digits of the first `BLANK` or digest of the head begin, or of the last one of the file, and they.

    The end is read first, and more where it holds none.
    """
    size, length = opened.seek(0, os.SEEK_END), HEAD_BYTES if at_start else CHUNK_BYTES
    while True:
        start = 0 if at_start else max(0, size - length)
        opened.seek(start)
        found = list(_WRITTEN.finditer(opened.read(length)))
        if found:
            match = found[0 if at_start else -1]
            return start + match.start(1), match[1].decode()
        if not start:
            return None
        length *= 8


def _digest(opened: BinaryIO, place: int) -> str:
    """SHA-256 of the file with zeros for the 64 digits at `place`, as hexadecimal."""
    opened.seek(0)
    digest = hashlib.sha256()
    while chunk := opened.read(min(CHUNK_BYTES, place - opened.tell())):
        digest.update(chunk)
    digest.update(64 * b"0")
    opened.seek(place + 64)
    while chunk := opened.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
