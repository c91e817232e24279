"""The inputs of a table: all columns that are left, each of the kind that it was told or found to be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from heft.data.tables.files import FileTable
from heft.data.tables.inference import CATEGORICAL, NUMERIC, LeftOut, Reading, TypedColumn, typed_column
from heft.data.tables.values import COMMA, POINT, is_nested, values_of
from heft.errors import HeftError

MOST_NAMED = 20  # columns of a sentence


@dataclass(frozen=True)
class ColumnOptions:
    """How columns are read, as a person says it.

    numeric, categorical, leave_out: names; the other columns are inferred. missing: texts of missing values. decimal:
    the mark before decimals; None: a point, or a comma where semicolons separate fields. max_categories, scaling: see
    `heft.data.modalities.mixed_columns`.
    """

    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    leave_out: Sequence[str] = ()
    missing: Sequence[str] = ()
    decimal: str | None = None
    max_categories: int = 50
    scaling: str = "standard"

    @property
    def named(self) -> dict[str, Sequence[str]]:
        """{option: columns that it names}."""
        return {"numeric": self.numeric, "categorical": self.categorical, "leave_out": self.leave_out}


@dataclass(frozen=True)
class TableInputs:
    """columns: those that a model learns from. left_out: {name: reason} of the others. notes: sentences on both."""

    columns: list[TypedColumn]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> np.ndarray:
        """Float64 [n, columns]."""
        return np.stack([column.values for column in self.columns], axis=1)


def inputs_of_table(table: FileTable, options: ColumnOptions, others: Collection[str]) -> TableInputs:
    """The columns but for `others`, which are no inputs, and those to be left out.

    Raises HeftError where none says anything of an example.
    """
    notes: list[str] = []
    decimals = [options.decimal] if options.decimal else [POINT, COMMA] if table.separator == ";" else [POINT]
    reading = Reading(decimals, table.where, options.max_categories, notes.append)
    told = {**dict.fromkeys(options.numeric, NUMERIC), **dict.fromkeys(options.categorical, CATEGORICAL)}
    columns: list[TypedColumn] = []
    left_out: list[LeftOut] = []
    for name, column in table.columns.items():
        if name in others or name in options.leave_out:
            continue
        if is_nested(column):
            left_out.append(LeftOut(name, f"several values a row, {column.type}"))
            continue
        typed = typed_column(name, values_of(column, options.missing), reading, told.get(name, ""))
        if isinstance(typed, TypedColumn):
            columns.append(typed)
        else:
            left_out.append(typed)
    if not columns:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in left_out[:MOST_NAMED])
        raise HeftError(f"{table.files[0]} has no column to learn from{f' ({reasons})' if reasons else ''}.")
    summary = [_summary(table, columns, told), *_said_of_dates(columns), *_said_of(left_out)]
    return TableInputs(columns, {one.name: one.reason for one in left_out}, summary + notes)


def _summary(table: FileTable, columns: Sequence[TypedColumn], told: Collection[str]) -> str:
    """What each column was taken for; those that were inferred alone, where some were told."""
    kinds: dict[str, list[str]] = {}
    for column in columns:
        shown = f"{column.name} ({len(column.categories):,})" if column.categories else column.name
        kinds.setdefault(column.kind, []).extend([shown] if column.name not in told else [])
    each = [f"{kind} {_listed(names)}" for kind, names in kinds.items() if names]
    return f"{table.files[0].name}: {len(table):,} rows; columns inferred: {'; '.join(each) or 'none'}."


def _said_of_dates(columns: Sequence[TypedColumn]) -> list[str]:
    written = [f"{column.name} ({column.written})" for column in columns if column.written]
    return [f"Dates become days: {_listed(written)}."] if written else []


def _said_of(left_out: Sequence[LeftOut]) -> list[str]:
    each = _listed([f"{one.name} ({one.reason})" for one in left_out])
    return [f"Left out: {each}."] if left_out else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
