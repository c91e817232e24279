"""What of the data could not be read, and what else was done to them before they were split."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from heft.phrases import on_one_line
from heft.reporting.tables.table import Cell, Column, Line, Table

MOST_LINES = 200
MOST_REASONS = 5


@dataclass(frozen=True)
class LeftOut:
    """n: examples that were skipped. reasons: how many for which reason. notes: sentences of the data source."""

    n: int
    reasons: str
    notes: tuple[str, ...]
    table: Table | None

    def without_names(self) -> "LeftOut | None":
        """The same without what names files or values of a person's own."""
        return replace(self, notes=(), table=None) if self.n else None


def left_out_of(manifest: Mapping[str, Any]) -> LeftOut | None:
    """What `manifest.json` says of it; None where all data were taken as they are."""
    skipped, notes = manifest.get("skipped", ()), tuple(manifest.get("notes", ()))
    if not skipped and not notes:
        return None
    counts = Counter(entry["reason"] for entry in skipped).most_common()
    reasons = [f"{n:,} because {reason}" for reason, n in counts[:MOST_REASONS]]
    others = sum(n for _, n in counts[MOST_REASONS:])
    if others:
        reasons.append(f"{others:,} for other reasons")
    return LeftOut(len(skipped), "; ".join(reasons), notes, _table(skipped) if skipped else None)


def _table(skipped: list[Mapping[str, str]]) -> Table:
    columns = [Column("Example", "its id", words=True), Column("Why it was skipped", "as it was read", words=True)]
    entries = sorted((on_one_line(entry["id"]), entry["reason"]) for entry in skipped)
    lines = [Line([Cell(name, name), Cell(reason, reason)]) for name, reason in entries[:MOST_LINES]]
    more = len(entries) - MOST_LINES
    footnotes = (f"{more:,} more stand in manifest.json of the data.",) if more > 0 else ()
    return Table("left-out-table", "Examples that were skipped, and why", columns, lines, footnotes)
