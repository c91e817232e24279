"""Writes a file whole or not at all, whenever the process is killed or the disk is full."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heft.faults import error_number


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, unique to this process; on success it is synced and renamed to `path`.

    A fault of the machine, such as a full disk, is an OSError that names `path`, whatever library met it; then `path`
    is as it was, and the temporary file is gone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except Exception as error:
        number = error_number(error)
        if number is None or getattr(error, "filename", None) not in (None, temporary, str(temporary)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error
    finally:
        with suppress(OSError):  # on a read-only file system not even a missing file can be removed
            temporary.unlink()
