"""The SHA-256 that an artifact carries inside itself: `sha256:` and 64 digits, written with it and checked when read.

The digest is that of the whole file with zeros in the place of the 64 digits. So it can stand wherever a format keeps a
text of its own, it cannot be parted from its file, and no byte of the file goes unseen.
"""

import hashlib
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
        match = _find(opened, at_start)
        if match is None:
            raise ValueError(f"{path} has no place for its SHA-256")
        place = match.start(1)
        digest = _digest(opened, place)
        opened.seek(place)
        opened.write(digest.encode())


def check(path: Path, *, at_start: bool = False) -> None:
    """Raises HeftError naming the file where its bytes are not those of its digest, or it has none."""
    with opened_artifact(path) as opened:
        match = _find(opened, at_start)
        if match is None:
            raise without_checksum(path)
        if _digest(opened, match.start(1)) != match[1].decode():
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


def _find(opened: BinaryIO, at_start: bool) -> re.Match[bytes] | None:
    opened.seek(0)
    if at_start:
        return _WRITTEN.search(opened.read(HEAD_BYTES))
    return next(reversed(list(_WRITTEN.finditer(opened.read()))), None)


def _digest(opened: BinaryIO, place: int) -> str:
    """SHA-256 of the file with zeros for the 64 digits at `place`, as hexadecimal."""
    opened.seek(0)
    digest = hashlib.sha256(opened.read(place) + 64 * b"0")
    opened.seek(place + 64)
    while chunk := opened.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
