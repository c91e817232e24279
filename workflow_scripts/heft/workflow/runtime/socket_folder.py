"""The temporary folder of a run's socket, told by a lock from those that killed runs have left."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "heft-"
OWNER = "owner.lock"
LONGEST_FOLDER = 80  # bytes; a socket's path has at most 107
SECONDS_TO_LOCK = 60.0  # a younger folder may be about to be locked


class SocketFolder:
    """A folder that only this account may enter, held by a lock that dies with this process.

    Making one removes those that killed runs have left. Raises OSError where no such folder can be made.
    """

    def __init__(self) -> None:
        place = tempfile.gettempdir()
        if len(os.fsencode(place)) > LONGEST_FOLDER:
            place = "/tmp"
        remove_left_behind(Path(place))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self._owner = os.open(self.path / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Removes the folder, and with it the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._owner)


def remove_left_behind(place: Path) -> None:
    """Removes this account's socket folders whose run does not live any more."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another run is removing it too
            if is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)


def is_left_behind(folder: Path) -> bool:
    """Whether a folder is a run's, this account's, not just being made, and held by nobody."""
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or folder.is_symlink() or time.time() - facts.st_mtime < SECONDS_TO_LOCK:
        return False
    if not {file.name for file in folder.iterdir()} <= {OWNER, "warm"}:
        return False
    try:
        owner = os.open(folder / OWNER, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(owner)
    return True
