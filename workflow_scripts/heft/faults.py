"""Faults of the machine, said in one sentence: a full disk, a place that may not be written, too little memory."""

import errno
import os
import re
import shutil
import signal
from pathlib import Path

from heft.errors import HeftError

FULL = {errno.ENOSPC, errno.EDQUOT}
KILLED_STATUS = 128 + signal.SIGKILL
KILLED = (
    "the job was killed by SIGKILL, most often because memory ran out; run the same command again, "
    "with fewer --cores where it happens again"
)
SAID = Path(".heft/disk-full")
_REASONS = {
    errno.EACCES: "this account has no permission for it",
    errno.EPERM: "this account has no permission for it",
    errno.EROFS: "its file system is read-only",
    errno.EFBIG: "it would be larger than this account's files may be (ulimit -f)",
    errno.EIO: "its disk reports an input/output error",
}


def sentence_of(error: BaseException) -> str | None:
    """What a person reads about a mistake or a fault of the machine; None where it is neither, so a bug."""
    if isinstance(error, HeftError):
        return str(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return (
            "memory ran out; run the same command again with fewer --cores, or make the model or the splits smaller "
            f"({str(error).splitlines()[0] if str(error) else 'MemoryError'})"
        )
    if not isinstance(error, OSError):
        return None
    path = os.fspath(error.filename) if isinstance(error.filename, str | os.PathLike) else "."
    if error.errno in FULL:
        return full_disk(path)
    reason = _REASONS.get(error.errno or 0)
    return f"{path} cannot be used: {reason}; mend that and run the same command again" if reason else None


def full_disk(path: str | Path) -> str:
    """The sentence about a full disk; names the file and how much is free in its folder."""
    folder = next((place for place in Path(path).absolute().parents if place.is_dir()), Path("/"))
    free = shutil.disk_usage(folder).free / 1e6
    return (
        f"the disk is full: {path} could not be written ({free:.1f} MB free); free space and run the same command "
        "again, it goes on from what is finished (nothing half-written is left)"
    )


def error_number(error: BaseException) -> int | None:
    """The errno of an error, also where a library says it only in its text (`os error 28`, `[Errno 28]`)."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = re.search(r"(?:os error|errno) (\d+)", str(error), re.IGNORECASE)
    return int(found[1]) if found else None


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or the message of a library or of SQLite, says that the disk is full."""
    return error_number(error) in FULL or "disk is full" in str(error)


def first_to_say_full() -> bool:
    """Whether no process of this run has said yet that the disk is full: several jobs meet it at once."""
    try:
        os.close(os.open(SAID, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    except OSError:  # not even an empty file fits
        return True
    return True
