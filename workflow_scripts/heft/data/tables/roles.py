"""Columns of a table that say something of an example and are no inputs: class, true class, id, group and split."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from heft.data.csv_file import FIRST_NUMBER, looks_like_a_row, named_columns
from heft.data.split_names import SPLIT_OF
from heft.data.tables.files import FileTable
from heft.data.tables.target import class_names_of, class_of, similar_names
from heft.data.tables.values import Values, is_nested, values_of
from heft.errors import HeftError

YES, NO, NOTHING = ("true", "yes", "1"), ("false", "no", "0"), ("",)


@dataclass(frozen=True)
class Roles:
    """Names of columns, None where there is none; a target that was not given is empty.

    target_option: how a person names the target.
    """

    target: str
    true_label: str | None = None
    id: str | None = None
    group: str | None = None
    split: str | None = None
    trusted: str | None = None
    target_option: str = field(default="target", kw_only=True)

    @property
    def named(self) -> dict[str, str]:
        """{option: column} of those that there are."""
        named = {self.target_option: self.target, "true_label": self.true_label}
        named |= {"id": self.id, "group": self.group, "split": self.split, "trusted": self.trusted}
        return {option: column for option, column in named.items() if column}


@dataclass(frozen=True)
class Labels:
    """Class names, and for each row with a target its class, its true one where these are known.

    rows: int64, which rows of the table have a target. notes: sentences on the names.
    """

    rows: np.ndarray
    class_names: list[str]
    labels: np.ndarray
    true_labels: np.ndarray | None
    notes: list[str]


def check_columns(table: FileTable, roles: Roles, lists: dict[str, Sequence[str]]) -> None:
    """Raises HeftError where a column that an option names is not there, has two uses, or holds lists where it must
    not; lists: {option: columns}."""
    file, known = table.files[0], list(table.columns)
    shown = named_columns(known)
    if looks_like_a_row(known) and known[0] != FIRST_NUMBER:
        shown += ", as of a row: give the file a header, or set header: false"
    if not roles.target:
        option = roles.target_option
        raise HeftError(f"{option} is not given; name the column that holds the class; {file} has {shown}.")
    uses: dict[str, str] = {}
    for option, column in [*roles.named.items(), *((name, one) for name, some in lists.items() for one in some)]:
        if column not in known:
            raise HeftError(f"{option} names the column {column}, which {file} lacks; it has {shown}.")
        if column in uses:
            raise HeftError(f"{uses[column]} and {option} name the same column {column}; a column has one use.")
        uses[column] = option
        if option in roles.named and is_nested(table.columns[column]):
            kind = table.columns[column].type
            more = ", and Heft weighs data with one class a row" if option == roles.target_option else ""
            raise HeftError(f"{option} {column} of {file} holds several values a row ({kind}){more}.")


def labels_of_table(table: FileTable, roles: Roles, missing: Collection[str]) -> Labels:
    """The classes of the rows with a target; raises HeftError where there is none, or what is there are no classes."""
    given = values_of(table.columns[roles.target], missing)
    rows = np.flatnonzero(given.known)
    if not len(rows):
        raise HeftError(f"{roles.target_option} {roles.target} of {table.files[0]} has no value in any row.")
    words, true = list(given.words), None
    if roles.true_label:
        true = _all_known(table.take(rows), roles.true_label, "true_label", missing)
        words += [word for word in true.words if word not in set(words)]
    names = class_names_of(roles.target, words, len(rows), roles.target_option)
    places = {name: place for place, name in enumerate(names)}

    def numbered(values: Values) -> np.ndarray:
        return np.array([places[class_of(word)] for word in values.words], np.int64)[values.codes]

    return Labels(
        rows,
        names,
        numbered(Values(given.words, given.codes[rows])),
        None if true is None else numbered(true),
        similar_names(names),
    )


def ids_of_table(table: FileTable, column: str | None, hashes: Sequence[str], parts: Sequence[str]) -> list[str]:
    """The texts of the id column; without one the content's hash and the place in the file: `3fa9c2d1-line-17`.

    Ids begin with the hash, so that splits, which are drawn in the order of ids, do not follow the order of rows.
    parts: of each file, which stands in the ids of all but the first. Raises HeftError naming two rows of one id.
    """
    if not column:
        first = ["", *(f"{part}-" for part in parts[1:])]
        return [
            f"{hashed[:8]}-{first[table.file_of[row]]}{table.place_in_file(row).replace(' ', '-')}"
            for row, hashed in enumerate(hashes)
        ]
    values = _all_known(table, column, "id", ())
    if len(values.words) < len(table):
        code = int(values.counts.argmax())
        first, second = np.flatnonzero(values.codes == code)[:2]
        raise HeftError(
            f'id {column} holds "{values.words[code]}" twice ({table.where(int(first))} and '
            f"{table.where(int(second))}); ids are unique."
        )
    return values.texts()


def groups_of_table(table: FileTable, column: str | None, missing: Collection[str]) -> list[str] | None:
    """The group of each row, which is one of its own where none is given; None without a column."""
    if not column:
        return None
    values = values_of(table.columns[column], missing)
    return [text or f"alone: {table.where(row)}" for row, text in enumerate(values.texts())]


def split_of_table(table: FileTable, column: str | None, parts: Sequence[str]) -> list[str] | None:
    """The split of each row, by the column or by the file; None where there is neither."""
    if not column:
        return [parts[file] for file in table.file_of] if len(parts) > 1 else None
    values = _all_known(table, column, "split", ())
    for code, word in enumerate(values.words):
        if word.lower() not in SPLIT_OF:
            row = int((values.codes == code).argmax())
            raise HeftError(
                f'split {column} holds "{word}" ({table.where(row)}); allowed are train, validation and test.'
            )
    return [SPLIT_OF[text.lower()] for text in values.texts()]


def trusted_of_table(table: FileTable, column: str | None) -> np.ndarray | None:
    """Whether the label of each row was checked, bool [n], not where nothing says so; None without a column."""
    if not column:
        return None
    values = values_of(table.columns[column], NOTHING)
    for code, word in enumerate(values.words):
        if word.lower() not in (*YES, *NO):
            where, allowed = table.where(int((values.codes == code).argmax())), ", ".join([*YES, *NO])
            raise HeftError(f'trusted {column} holds "{word}" ({where}); allowed are {allowed} and nothing.')
    return np.append([word.lower() in YES for word in values.words], False)[values.codes].astype(bool)


def _all_known(table: FileTable, column: str, option: str, missing: Collection[str]) -> Values:
    values = values_of(table.columns[column], missing)
    if not values.known.all():
        row = int(values.known.argmin())
        raise HeftError(f"{option} {column} has no value in {table.where(row)}; each row needs one.")
    return values
