"""Texts: ids, names of classes, features and groups, and the split that an example belongs to."""

import numbers
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.data.fields.arrays import shown
from heft.errors import HeftError

LISTS = (list, tuple, np.ndarray, pd.Series, pd.Index)
SPLITS = ("train", "validation", "test")


def ids_of(value: Any) -> list[str]:
    """Texts, each once; whole numbers are written out."""
    ids = [_text_or_number(one, f"row {row} has the id", "ids") for row, one in enumerate(_entries(value, "ids"))]
    repeated = pd.Series(ids, dtype=object).duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise HeftError(f"row {row} repeats the id {ids[row]}; ids are unique.")
    return ids


def names_of(value: Any, field: str = "class_names", least: int = 2) -> list[str]:
    """At least `least` texts, each once; numbers are written out."""
    names: list[str] = []
    for index, one in enumerate(_entries(value, field)):
        if not isinstance(one, str) and (not isinstance(one, numbers.Real) or one != one):
            raise HeftError(f"{field}[{index}] is {shown(one)} ({type(one).__name__}); names are text or numbers.")
        names.append(checked_text(str(one), f"{field}[{index}] is"))
    repeated = pd.Series(names, dtype=object).duplicated().to_numpy()
    if repeated.any():
        index = int(repeated.argmax())
        name = names[index]
        raise HeftError(f"{field}[{index}] is {name}, as is {field}[{names.index(name)}]; names are unique.")
    if len(names) < least:
        raise HeftError(f"{field} has {len(names)} entries ({', '.join(names) or 'none'}); expected at least {least}.")
    return names


def groups_of(value: Any, n: int) -> list[str]:
    """A text for each of `n` examples; whole numbers are written out."""
    entries = _entries(value, "groups")
    return _of_each([_text_or_number(one, f"row {row} has the group", "groups") for row, one in enumerate(entries)],
                    n, "groups")  # fmt: skip


def split_of(value: Any, n: int) -> list[str]:
    """`train`, `validation` or `test` for each of `n` examples; of `train` there are some."""
    parts = _of_each(list(_entries(value, "split")), n, "split")
    for row, one in enumerate(parts):
        if not isinstance(one, str) or one not in SPLITS:
            raise HeftError(f"row {row} has the split {shown(one)}; allowed: {', '.join(SPLITS)}.")
    if "train" not in parts:
        raise HeftError("split has no example for train; training and what is not named are drawn from it.")
    return [str(one) for one in parts]


def files_of(value: Any) -> dict[str, Path]:
    """Paths of files that are there, by name."""
    if not isinstance(value, Mapping):
        raise HeftError(f"files is {shown(value)}; expected the path of each file that was read, by its name.")
    for name, path in value.items():
        if not isinstance(name, str) or not isinstance(path, str | Path) or not Path(path).is_file():
            raise HeftError(f"files has {shown(name)}: {shown(path)}, which is not a file.")
    return {checked_text(name, "files has the name"): Path(path) for name, path in value.items()}


def checked_text(text: str, where: str) -> str:
    """The text, where it is not empty, holds no NUL and is valid Unicode; `where` begins the sentence."""
    if not text or "\0" in text:
        raise HeftError(f"{where} {text!r}; expected text that is not empty and holds no NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HeftError(f"{where} {text!r}, which is not valid Unicode (a lone surrogate).") from error
    return text


def _text_or_number(value: Any, where: str, field: str) -> str:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool)
    if not isinstance(value, str) and not whole:
        raise HeftError(f"{where} {shown(value)} ({type(value).__name__}); {field} are text or whole numbers.")
    return checked_text(str(value), where)


def _of_each(values: list[Any], n: int, field: str) -> list[Any]:
    if len(values) != n:
        raise HeftError(f"{field} has {len(values)} entries; expected one for each of {n} examples.")
    return values


def _entries(value: Any, field: str) -> Iterator[Any]:
    if not isinstance(value, LISTS) or (isinstance(value, np.ndarray) and value.ndim != 1):
        raise HeftError(f"{field} is {shown(value)} ({type(value).__name__}); expected a list.")
    yield from value
