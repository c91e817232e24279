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
# What libraries say: torch, Python where a thread has no stack, the loader of shared libraries, the system.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "can't start new thread",
    "failed to map segment from shared object",
    "cannot allocate memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "MemoryError",
)
_REASONS = {
    errno.EACCES: "this account has no permission for it",
    errno.EPERM: "this account has no permission for it",
    errno.EROFS: "its file system is read-only",
    errno.EFBIG: "it would be larger than this account's files may be (ulimit -f)",
    errno.EIO: "its disk reports an input/output error",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.ELOOP: "its links lead in a circle",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EMFILE: "too many files are open at a time (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.EAGAIN: "no more processes may be started (ulimit -u)",
}


def sentence_of(error: BaseException) -> str | None:
    """What a person reads about a mistake or a fault of the machine; None where it is neither, so a bug."""
    if isinstance(error, HeftError):
        return str(error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
        said = str(error).strip().partition("\n")[0] or "MemoryError"
        return (
            "memory ran out; run the same command again with fewer --cores, raise the limit (ulimit -v), or make the "
            f"model or the splits smaller ({said})"
        )
    if not isinstance(error, OSError):
        return None
    path = os.fspath(error.filename) if isinstance(error.filename, str | os.PathLike) else "."
    if error.errno in FULL:
        return full_disk(path)
    reason = _REASONS.get(error.errno or 0)
    return f"{path} cannot be used: {reason}; mend that and run the same command again" if reason else None


def full_disk(path: str | Path) -> str:
    """The sentence about a full disk; names the file, and how much is free in its folder or that no file may be added.

    A file system also ends at its number of files (inodes), with space left.
    """
    whole = Path(path).absolute()
    folder = next((place for place in (whole, *whole.parents) if place.is_dir()), Path("/"))
    again = "run the same command again, it goes on from what is finished (nothing half-written is left)"
    file_system = os.statvfs(folder)
    if file_system.f_files and not file_system.f_favail:
        return (
            f"no more files can be made (inodes): {path} could not be written, all {file_system.f_files} files that "
            f"its disk can hold are there; remove some and {again}"
        )
    free = shutil.disk_usage(folder).free / 1e6
    return f"the disk is full: {path} could not be written ({free:.1f} MB free); free space and {again}"


def fault_in(text: str) -> str | None:
    """The sentence about a fault of the machine that the text of a library tells; None where it tells of none."""
    match = re.search(r"\[Errno (\d+)\] ([^\n:]*): '([^'\n]*)'", text)
    return sentence_of(OSError(int(match[1]), match[2], match[3])) if match else None


def error_number(error: BaseException) -> int | None:
    """The errno of an error, also where a library says it only in its text (`os error 28`, `[Errno 28]`)."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    match = re.search(r"(?:os error|errno) (\d+)", str(error), re.IGNORECASE)
    return int(match[1]) if match else None


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or the message of a library or of SQLite, says that the disk is full."""
    return error_number(error) in FULL or "disk is full" in str(error)
