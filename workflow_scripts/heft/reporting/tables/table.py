"""Tables of the page: columns, lines and cells, each cell with its text, its interval and the value that sorts it."""

from dataclasses import dataclass
from math import isfinite

from heft.evaluation.statistics import Estimate
from heft.reporting.wording import EMPTY


@dataclass(frozen=True)
class Column:
    """A column's head; `hint` explains it, `group` is the head above neighbours that belong together."""

    label: str
    hint: str
    group: str = ""
    words: bool = False


@dataclass(frozen=True)
class Cell:
    """text over a smaller `note`; `sort` orders (None: last). tone: "good", "bad", "unclear" or ""; shade: 0 to 1."""

    text: str
    sort: float | str | None
    note: str = ""
    tone: str = ""
    shade: float = 0.0


NOTHING = Cell(EMPTY, None)


@dataclass(frozen=True)
class Line:
    """One line; the first cell is its head. method: whose colour marks it. words: what a search looks through."""

    cells: list[Cell]
    method: str = ""
    words: str = ""
    highlighted: bool = False


@dataclass(frozen=True)
class Table:
    """caption: what the table holds, in one sentence. footnotes: what its marks mean."""

    name: str
    caption: str
    columns: list[Column]
    lines: list[Line]
    footnotes: tuple[str, ...] = ()

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Heads above the columns with the number of columns each spans; nothing where no column has one."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans if any(name for name, _ in spans) else []

    def without_empty_columns(self) -> "Table":
        """The table without the columns after the first that no line fills."""
        kept = [
            k for k in range(len(self.columns)) if k == 0 or any(line.cells[k].sort is not None for line in self.lines)
        ]
        lines = [Line([line.cells[k] for k in kept], line.method, line.words, line.highlighted) for line in self.lines]
        return Table(self.name, self.caption, [self.columns[k] for k in kept], lines, self.footnotes)


def tone_of(estimate: Estimate) -> str:
    """`good` or `bad` where the interval is clear of zero, else `unclear`."""
    return "good" if estimate.above_zero else "bad" if estimate.below_zero else "unclear"


def known(value: float) -> float | None:
    """The value as one that sorts; None where there is none."""
    return value if isfinite(value) else None
