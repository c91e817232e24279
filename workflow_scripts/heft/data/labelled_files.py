"""Labels, and the predictions or embeddings that belong to them, from files of a person's own.

A table (`.csv`, `.tsv`, `.parquet`) may have a column `id`; where both files have one, rows belong together by it, else
by their order.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from heft.data.arrays import SUFFIXES as ARRAY_SUFFIXES
from heft.data.arrays import ArrayPlace, array_place, check_file, read_array
from heft.data.columns import SUFFIXES, Columns, read_columns
from heft.data.tables.parquet_columns import columns_of_parquet
from heft.errors import HeftError

ID, LABEL, GROUP = "id", "label", "group"
PARQUET = ".parquet"
INDEX = "column 1"  # what a first column without a name is called: so pandas writes the index of a table


class LabelFile(NamedTuple):
    """Labels [n], ids and groups where they are known, and the columns of a table that hold these: `taken`."""

    place: ArrayPlace
    labels: Sequence[int | str]
    ids: list[str] | None
    groups: Sequence[int | str] | None
    taken: set[str]


class NumberFile(NamedTuple):
    """Numbers [n, ...]; where the file is a table the names of the columns, and ids where it has them."""

    numbers: np.ndarray
    names: list[str] | None
    ids: list[str] | None = None


def read_labels(named: str, ids: str | None) -> LabelFile:
    """Labels of an array, or of the column `label`, the only one, or the one that `file.csv:column` names.

    ids: a file with the id of each row, where the labels are no table. Raises HeftError where there are no such labels.
    """
    place = array_place(named)
    if not _is_table(place):
        labels = np.asarray(read_array(place))
        if labels.ndim != 1:
            raise HeftError(f"{place} has shape {list(labels.shape)}; expected labels [n].")
        known = None if ids is None else _ids(_read_one(ids, ID), len(labels), ids)
        return LabelFile(place, _whole_or_text(labels.tolist()), known, None, set())
    columns = _read_table(place.path)
    chosen = place.key or _label_column(columns)
    texts = columns.column(chosen)
    for row, text in enumerate(texts):
        if not text.strip():
            raise HeftError(f"{place.path}, line {columns.lines[row]}: column {chosen} is empty; expected a label.")
    own = columns.texts.get(ID) if ids is None else _read_one(ids, ID)
    known = None if own is None else _ids(own, len(texts), ids or str(place.path))
    groups = None if chosen == GROUP else columns.texts.get(GROUP)
    return LabelFile(place, _whole_or_text(texts), known, groups, {chosen, ID, GROUP})


def read_numbers(named: str, of: LabelFile) -> NumberFile:
    """The array of a file, or all columns of a table but its ids; rows as those of the labels."""
    place = array_place(named)
    read = read_predictions(named, of.taken if place.path == of.place.path else ())
    if of.ids is None or read.ids is None:
        return read
    return read._replace(numbers=read.numbers[_order(read.ids, place.path, of)], ids=of.ids)


def read_predictions(named: str, left_out: Collection[str] = ()) -> NumberFile:
    """The same in the order of the file; `left_out` are columns of a table besides its ids."""
    place = array_place(named)
    if not _is_table(place):
        return NumberFile(read_array(place), None)
    if place.key is not None:
        raise HeftError(f"{place.path} is a table, all of whose columns are read; leave out :{place.key}.")
    columns = _read_table(place.path)
    names = [name for name in columns.texts if name not in (ID, *left_out)]
    if not names:
        raise HeftError(f"{place.path} has the columns {', '.join(columns.texts)}; expected others, of numbers.")
    _check_header(place.path, names)
    numbers = np.stack([columns.numbers(name) for name in names], axis=1)
    known = _ids(columns.texts[ID], len(numbers), str(place.path)) if ID in columns.texts else None
    return NumberFile(numbers, names, known)


def read_groups(named: str, of: LabelFile) -> Sequence[int | str]:
    """The group of each label, of an array, or of the column `group`, or the one that `file.csv:column` names."""
    place = array_place(named)
    groups = _read_one(named, GROUP)
    if of.ids is None or not _is_table(place) or ID not in (texts := _read_table(place.path).texts):
        return groups
    return [groups[row] for row in _order(_ids(texts[ID], len(groups), str(place.path)), place.path, of)]


def read_classes(given: str) -> list[int | str]:
    """`cat,dog`, or a file that holds them."""
    parts = [part.strip() for part in given.split(",")]
    place = array_place(given)
    from_file = len(parts) == 1 and place.path.is_file()
    return list(read_labels(given, None).labels) if from_file else _whole_or_text(parts)


def _is_table(place: ArrayPlace) -> bool:
    """Raises HeftError where the file is neither a table nor one of arrays."""
    check_file(place.path, (*SUFFIXES, PARQUET, *ARRAY_SUFFIXES))
    return place.path.suffix.lower() in (*SUFFIXES, PARQUET)


def _read_table(path: Path) -> Columns:
    """The columns of a table, of which a first one without a name is the ids."""
    columns = columns_of_parquet(path) if path.suffix.lower() == PARQUET else read_columns(path, name_all=True)
    if ID in columns.texts:
        return columns
    return replace(columns, texts={ID if name == INDEX else name: texts for name, texts in columns.texts.items()})


def _label_column(columns: Columns) -> str:
    named = [name for name in columns.texts if name != ID]
    others = [name for name in named if name != GROUP] or named
    if LABEL in others or len(others) == 1:
        return LABEL if LABEL in others else others[0]
    raise HeftError(
        f"{columns.path} has the columns {', '.join(columns.texts)}, none of which is called {LABEL}; name the one "
        f"that holds the labels, as in {columns.path}:{others[-1] if others else ID}."
    )


def _whole_or_text(values: Sequence[int | str]) -> list[int | str]:
    """Whole numbers where all are written as such, else what was given."""
    texts = [value.strip() if isinstance(value, str) else value for value in values]
    whole = all(isinstance(text, str) and text == str(_number(text)) for text in texts)
    return [int(text) for text in texts] if whole else list(texts)


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _read_one(named: str, what: str) -> Sequence[int | str]:
    """The ids, or groups, of an array, or of the column of that name, or the one that `file.csv:column` names."""
    place = array_place(named)
    if _is_table(place):
        return _read_table(place.path).column(place.key or what)
    values = read_array(place)
    if values.ndim != 1 or values.dtype.kind not in "iuU":
        found = f"{values.dtype} {list(values.shape)}"
        raise HeftError(f"{place} holds {found}; expected {what}s [n], texts or whole numbers.")
    listed: list[int | str] = values.tolist()
    return listed


def _ids(values: Sequence[int | str], n: int, where: str) -> list[str]:
    ids = [str(value) for value in values]
    if len(ids) != n:
        raise HeftError(f"{where} holds {len(ids)} ids for {n} labels; expected one for each.")
    if len(set(ids)) < n:
        seen: set[str] = set()
        repeated = next(text for text in ids if text in seen or seen.add(text))  # type: ignore[func-returns-value]
        raise HeftError(f"{where} holds the id {repeated} twice; each stands once.")
    return ids


def _order(ids: list[str], path: Path, of: LabelFile) -> list[int]:
    """The row of each label's id."""
    rows = {text: row for row, text in enumerate(ids)}
    known = of.ids or []
    for wanted, held, here, there in ((known, rows, path, of.place.path), (ids, set(known), of.place.path, path)):
        if missing := next((text for text in wanted if text not in held), None):
            raise HeftError(f"{here} has no row for the id {missing}, which {there} has; both must have the same ids.")
    return [rows[text] for text in known]


def _check_header(path: Path, names: Sequence[str]) -> None:
    """Raises HeftError where the first line holds numbers in the place of names; whole ones may name classes."""
    if all(_is_fraction(name) for name in names) and not all(_number(name) is not None for name in names):
        raise HeftError(f"{path}: the first line holds numbers ({', '.join(names[:3])}); expected names of columns.")


def _is_fraction(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
