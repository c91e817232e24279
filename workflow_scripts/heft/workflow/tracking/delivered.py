"""Which record files need no delivery any more, noted without asking the store: a count for people, and no more.

The store's own tags tell what was delivered. If this note is lost, cut or wrong, a delivery reads the records anew and
asks the store.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from heft.atomic_files import atomic_path
from heft.workflow.places import FAILED, RESULTS, STATE
from heft.workflow.tracking.local_store import database_of
from heft.workflow.tracking.store_address import without_password

State = tuple[int, int]  # date of change in nanoseconds, size in bytes


def record_files() -> Iterator[Path]:
    """The records of this folder, those of failed runs included."""
    for top in (RESULTS, FAILED):
        for folder, _, files in os.walk(top):
            for name in files:
                if name == "record.jsonl" or name.endswith(".record.jsonl"):
                    yield Path(folder, name)


def file_state(path: Path) -> State | None:
    """What changes when a file is written; None where there is none."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_mtime_ns, facts.st_size


def waiting(uri: str, project: str) -> list[Path]:
    """The record files that are not known to be delivered to a store."""
    noted = DeliveredNote(uri, project)
    return [path for path in record_files() if not noted.holds(path)]


class DeliveredNote:
    """Appends a line for each record file that was delivered, or whose fault was said; the last one of a file counts.

    A note belongs to one store, and to one project: that of a copy's original tells nothing.
    """

    def __init__(self, uri: str, project: str) -> None:
        name = hashlib.sha256(without_password(uri).encode()).hexdigest()[:12]
        self.path, self._project = STATE / f"delivered-{name}.jsonl", project
        self._files: dict[str, State] = {}
        self._said: set[str] = set()
        database = database_of(uri)
        if database is None or database.exists():  # a store that was deleted holds nothing
            for line in self._lines():
                self._take(line)

    def holds(self, path: Path) -> bool:
        """Whether a file is delivered as it is now."""
        return (noted := self._files.get(path.as_posix())) is not None and noted == file_state(path)

    def delivered(self, path: Path, state: State) -> None:
        """Notes that a file is delivered as it was when it had this state."""
        if self._files.get(path.as_posix()) != state:
            self._append({"file": path.as_posix(), "state": state})

    def first_to_say(self, what: str) -> bool:
        """Whether that was not said before; notes that it is said now."""
        first = what not in self._said
        if first:
            self._append({"said": what})
        return first

    def shorten(self) -> None:
        """Writes the note anew where most of its lines are outdated."""
        lines: list[Mapping[str, object]] = [{"said": what} for what in sorted(self._said)]
        lines += [{"file": file, "state": state} for file, state in self._files.items() if Path(file).exists()]
        if self.path.exists() and len(self.path.read_bytes().splitlines()) > 2 * len(lines) + 100:
            with atomic_path(self.path) as temporary:
                temporary.write_text("".join(map(self._line, lines)), encoding="utf-8")

    def _take(self, line: Mapping[str, object]) -> None:
        state = line.get("state")
        if isinstance(line.get("said"), str):
            self._said.add(str(line["said"]))
        elif isinstance(state, list | tuple) and len(state) == 2:
            self._files[str(line.get("file"))] = (state[0], state[1])

    def _append(self, line: Mapping[str, object]) -> None:
        with self.path.open("a", encoding="utf-8") as note:
            # The line feed in front closes what a killed process left half written.
            note.write(f"\n{self._line(line)}")
        self._take(line)

    def _line(self, line: Mapping[str, object]) -> str:
        return json.dumps({**line, "project": self._project}) + "\n"

    def _lines(self) -> Iterator[Mapping[str, object]]:
        with suppress(FileNotFoundError):
            for line in self.path.read_bytes().splitlines():
                with suppress(ValueError, RecursionError):
                    noted = json.loads(line)
                    if isinstance(noted, dict) and noted.get("project") == self._project:
                        yield noted
