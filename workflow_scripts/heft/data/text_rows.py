"""A data set of texts from the rows of a table: which column holds them, and which rows have one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from heft.data.csv_file import named_columns
from heft.data.labelled_rows import labelled_rows
from heft.data.modalities.texts import Texts
from heft.data.raw_data import RawData
from heft.data.tables.files import FileTable
from heft.data.tables.roles import Roles, check_columns
from heft.errors import HeftError

# Names of columns, in any case, that need not be given; the first that is there is taken.
TEXT_NAMES = ("text", "sentence", "content", "document", "review", "comment", "message", "tweet", "body")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "sentiment")


def texts_of_table(
    table: FileTable, text: str | None, roles: Roles, parts: Sequence[str], files: Mapping[str, Path]
) -> RawData:
    """The texts and labels of the rows that have both; the others are skipped.

    text: a column, as those of `roles`; the usual name is found where it is not given. parts: the split of each file.
    Raises HeftError where a column is not there, or holds no texts, or no classes.
    """
    text = text or usual_column(table, TEXT_NAMES, "text")
    roles = replace(roles, target=roles.target or usual_column(table, LABEL_NAMES, roles.target_option))
    check_columns(table, roles, {"text": [text]})
    texts = _texts_of(table, text)
    without = {row: "it has no text" for row, one in enumerate(texts) if one is None or not one.strip()}
    if len(without) == len(texts):
        raise HeftError(f"text {text} of {table.files[0]} holds no text in any row.")
    notes = [_said_of_columns(table, text, roles)]
    return labelled_rows(texts, Texts(), table, roles, parts, skipped=without, files=files, notes=notes)


def found_column(table: FileTable, usual: Sequence[str]) -> str | None:
    """The column with the first of the usual names."""
    lower = {name.lower(): name for name in reversed(list(table.columns))}
    return next((lower[name] for name in usual if name in lower), None)


def usual_column(table: FileTable, usual: Sequence[str], option: str) -> str:
    """The column with the first of the usual names; raises HeftError with the columns that there are."""
    found = found_column(table, usual)
    if found is None:
        header = ", or set header: false if the first line is an example" if table.separator else ""
        raise HeftError(
            f"{option} is not given, and {table.files[0]} has no column of a usual name ({', '.join(usual)}); it has "
            f"{named_columns(list(table.columns))}. Name one of them as {option}{header}."
        )
    return found


def holds_texts(table: FileTable, column: str) -> bool:
    """Whether a column is of texts, or holds nothing at all."""
    kind = table.columns[column].type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_null(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _texts_of(table: FileTable, text: str) -> list[str | None]:
    """One each row; raises HeftError where the column holds something else."""
    column = table.columns[text]
    if holds_texts(table, text):
        texts: list[str | None] = column.to_pylist()
        return texts
    first = next((row for row, value in enumerate(column) if value.is_valid), 0)
    raise HeftError(
        f"text names the column {text} of {table.files[0]}, which holds {column.type} and no texts "
        f"({table.where(first)}: {str(column[first])[:40]})."
    )


def _said_of_columns(table: FileTable, text: str | None, roles: Roles) -> str:
    used = {"texts": text, "labels": roles.target, "true labels": roles.true_label, "ids": roles.id}
    used |= {"groups": roles.group, "splits": roles.split, "trust": roles.trusted}
    named = ", ".join(f"{what} {column}" for what, column in used.items() if column)
    unread = [name for name in table.columns if name not in used.values()]
    beside = f"; not read: {named_columns(unread)}" if unread else ""
    files = ", ".join(file.name for file in table.files)
    return f"{files}: {len(table):,} rows; columns: {named}{beside}."
