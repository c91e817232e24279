"""Texts: ids, names of classes, features and groups, and the split that an example belongs to."""

import numbers
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.data.fields.arrays import shown
from heft.data.settings import SPLITS
from heft.errors import HeftError

LISTS = (list, tuple, np.ndarray, pd.Series, pd.Index)


def ids_of(value: Any) -> list[str]:
    """Texts, each once; whole numbers are written out."""
    ids = [_text_or_number(entry, f"row {row} has the id", "ids") for row, entry in enumerate(_entries(value, "ids"))]
    repeated = pd.Series(ids, dtype=object).duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise HeftError(f"row {row} repeats the id {ids[row]}; ids are unique.")
    return ids


def names_of(value: Any, field: str = "class_names", least: int = 2) -> list[str]:
    """At least `least` texts, each once; numbers are written out."""
    names: list[str] = []
    for index, entry in enumerate(_entries(value, field)):
        if not isinstance(entry, str) and (not isinstance(entry, numbers.Real) or entry != entry):
            raise HeftError(f"{field}[{index}] is {shown(entry)} ({type(entry).__name__}); names are text or numbers.")
        names.append(checked_text(str(entry), f"{field}[{index}] is"))
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
    entries = enumerate(_entries(value, "groups"))
    groups = [_text_or_number(entry, f"row {row} has the group", "groups") for row, entry in entries]
    _check_length(groups, n, "groups")
    return groups


def split_of(value: Any, n: int) -> list[str]:
    """`train`, `validation` or `test` for each of `n` examples; of `train` there are some."""
    parts = list(_entries(value, "split"))
    _check_length(parts, n, "split")
    for row, part in enumerate(parts):
        if not isinstance(part, str) or part not in SPLITS:
            raise HeftError(f"row {row} has the split {shown(part)}; allowed: {', '.join(SPLITS)}.")
    if "train" not in parts:
        raise HeftError("split has no example for train; training and what is not named are drawn from it.")
    return [str(part) for part in parts]


def files_of(value: Any) -> dict[str, Path]:
    """Paths of files and folders that are there, by name."""
    if not isinstance(value, Mapping):
        raise HeftError(f"files is {shown(value)}; expected the path of each file that was read, by its name.")
    for name, path in value.items():
        if not isinstance(name, str) or not isinstance(path, str | Path) or not Path(path).exists():
            raise HeftError(f"files has {shown(name)}: {shown(path)}, which is not there.")
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


def _check_length(entries: list[Any], n: int, field: str) -> None:
    if len(entries) != n:
        raise HeftError(f"{field} has {len(entries)} entries; expected one for each of {n} examples.")


def _entries(value: Any, field: str) -> Iterator[Any]:
    if not isinstance(value, LISTS) or (isinstance(value, np.ndarray) and value.ndim != 1):
        raise HeftError(f"{field} is {shown(value)} ({type(value).__name__}); expected a list.")
    yield from value
