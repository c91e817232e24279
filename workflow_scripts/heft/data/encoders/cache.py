"""Features that were computed before, by the content of the example: one SQLite file for each identity of an encoder.

A file that several processes share, or whose process was killed, stays whole, as SQLite sees to. Each entry has a
checksum, over the content's hash too: one that is damaged counts as missing. A file that is no database any more is
replaced, since all in it can be computed again.
"""

import errno
import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from heft.errors import HeftError
from heft.faults import is_disk_full

WAITS = 120  # seconds, until another process has written
CHECKSUM_BYTES = 8
AT_ONCE = 500  # entries that one query asks for
TABLES = (
    "CREATE TABLE IF NOT EXISTS about (identity TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS features (hash TEXT PRIMARY KEY, checksum BLOB, features BLOB)",
)


class FeatureCache:
    """Features float32 [width] by the content hash of an example."""

    def __init__(self, folder: Path, identity: str, width: int) -> None:
        """Opens the file of this identity below `folder`, or makes it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.sqlite"
        self._identity, self._width = identity, width
        self._database = sqlite3.connect(self.path, timeout=WAITS)
        self._try(self._make_tables)

    def get(self, hashes: Sequence[str]) -> dict[str, np.ndarray]:
        """The features of those that are there, and whole."""
        found: dict[str, np.ndarray] = {}
        asked = list(dict.fromkeys(hashes))
        for first in range(0, len(asked), AT_ONCE):
            part = asked[first : first + AT_ONCE]
            for name, checksum, content in self._try(partial(self._read, part)):
                whole = isinstance(content, bytes) and len(content) == 4 * self._width
                if whole and checksum == _checksum(name, content):
                    found[name] = np.frombuffer(content, np.float32)
        return found

    def put(self, features: Mapping[str, np.ndarray]) -> None:
        """Writes features, all of them or none; another process may have written the same."""
        contents = {name: np.ascontiguousarray(row, np.float32).tobytes() for name, row in features.items()}
        rows = [(name, _checksum(name, content), content) for name, content in contents.items()]
        self._try(partial(self._write, rows))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def _make_tables(self) -> None:
        with self._database:
            for table in TABLES:
                self._database.execute(table)
            self._database.execute("INSERT OR IGNORE INTO about VALUES (?)", [self._identity])

    def _read(self, hashes: Sequence[str]) -> list[tuple[str, Any, Any]]:
        marks = ", ".join("?" * len(hashes))
        query = f"SELECT hash, CAST(checksum AS BLOB), CAST(features AS BLOB) FROM features WHERE hash IN ({marks})"
        return self._database.execute(query, hashes).fetchall()

    def _write(self, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

    def _try(self, work: Callable[[], Any]) -> Any:
        """What `work` returns; a second time, on a new file, where this one is damaged."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if is_disk_full(error):
                raise OSError(errno.ENOSPC, str(error), str(self.path)) from error
            raise HeftError(f"The cache of features {self.path} cannot be used: {error}.") from error
        except sqlite3.DatabaseError:
            self._database.close()
            for file in (self.path, self.path.with_name(f"{self.path.name}-journal")):
                file.unlink(missing_ok=True)
            self._database = sqlite3.connect(self.path, timeout=WAITS)
            self._make_tables()
            return work()


def _checksum(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + content).digest()[:CHECKSUM_BYTES]
