"""What was delivered to one tracking store, kept across runs of Heft so that each event is delivered once."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass
class Delivered:
    """How far a record is delivered: its run, how many of its events, whether the run has ended or was replaced.

    run_id is empty between the intention to open a run and the store's answer. file: where the record lies.
    """

    record: str
    key: str
    run_id: str = ""
    n_events: int = 0
    ended: bool = False
    file: str = ""
    superseded: bool = False

    @property
    def experiment(self) -> str:
        """The experiment that the key begins with."""
        return self.key.partition("/")[0]


class Ledger:
    """Lines appended to a file; the last line of a record counts, and the last current record of a key.

    stores: {experiment: identity of the store's experiment}; another identity says that the store was replaced, an
    empty one that what the store holds is being learned.
    """

    def __init__(self, uri: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"delivered-{hashlib.sha256(uri.encode()).hexdigest()[:12]}.jsonl"
        self.entries: dict[str, Delivered] = {}
        self.latest: dict[str, Delivered] = {}  # by key, those that nothing replaced
        self.stores: dict[str, str] = {}
        for line in self._lines():
            if "store" in line:
                self._take_store(line["experiment"], line["store"])
            else:
                self._take(Delivered(**line))

    def note(self, entry: Delivered) -> None:
        """Keeps an entry's present state."""
        self._take(entry)
        self._append(asdict(entry))

    def note_store(self, experiment: str, identity: str) -> None:
        """Names the store that the experiment's entries are about.

        Entries about another are forgotten. An empty identity forgets all, until the store is named: a kill in between
        is then seen.
        """
        self._take_store(experiment, identity)
        self._append({"experiment": experiment, "store": identity})

    def _take(self, entry: Delivered) -> None:
        self.entries[entry.record] = entry
        if not entry.superseded:
            self.latest[entry.key] = entry
        elif entry.key in self.latest and self.latest[entry.key].record == entry.record:
            del self.latest[entry.key]

    def _take_store(self, experiment: str, identity: str) -> None:
        if not identity or self.stores.get(experiment) != "":
            self._forget(experiment)
        self.stores[experiment] = identity

    def _forget(self, experiment: str) -> None:
        self.entries = {record: entry for record, entry in self.entries.items() if entry.experiment != experiment}
        self.latest = {key: entry for key, entry in self.latest.items() if entry.experiment != experiment}

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as ledger:
            # The line feed in front closes what a killed process left half written.
            ledger.write(f"\n{json.dumps(line)}\n")

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            if line:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue
