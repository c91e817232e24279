"""The fields of `RawData`, each turned into its declared type without loss, or refused in a sentence.

A source may return lists, other widths of numbers, or numbers as names: what can be said exactly in the declared type
is converted. The sentences say field, row and value; the caller puts the name of the source in front.
"""

import math
import numbers
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.errors import HeftError

LISTS = (list, tuple, np.ndarray, pd.Series, pd.Index)
EXACT = ("float32", "float16", "uint8", "int8", "uint16", "int16", "bool")  # types whose values float32 holds exactly
ROWS_AT_ONCE = 1000


def inputs_of(value: Any) -> np.ndarray:
    """Float32 [n, C, H, W] in C order, of finite numbers that float32 holds exactly."""
    array = _array(value, "inputs")
    if array.ndim != 4 or 0 in array.shape[1:] or array.dtype.kind not in "fiub":
        raise HeftError(
            f"inputs have shape {array.shape} and type {array.dtype}; "
            "expected float32 of shape [n, channels, height, width]."
        )
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=np.float32)
    for first in range(0, len(array), ROWS_AT_ONCE):
        given, kept = (one[first : first + ROWS_AT_ONCE] for one in (array, converted))
        not_finite = np.argwhere(~np.isfinite(given))
        if len(not_finite):
            number = given[tuple(not_finite[0])]
            raise HeftError(
                f"row {first + not_finite[0][0]} holds a value that is not finite ({number}); all are numbers."
            )
        if array.dtype.name not in EXACT:
            rounded = np.argwhere(given.astype(np.longdouble) != kept.astype(np.longdouble))
            if len(rounded):
                number = given[tuple(rounded[0])]
                raise HeftError(
                    f"row {first + rounded[0][0]} holds {number}, which is {array.dtype} and no float32; "
                    "where rounding is meant, return inputs.astype(np.float32)."
                )
    return converted


def labels_of(value: Any, n_classes: int) -> np.ndarray:
    """Int64 [n] in 0..n_classes-1."""
    listed = isinstance(value, list | tuple)
    array = np.fromiter(value, dtype=object, count=len(value)) if listed else _array(value, "labels")
    if array.ndim != 1:
        raise HeftError(f"labels have shape {array.shape}; expected one number for each example.")
    if array.dtype.kind in "iub":
        wrong = np.flatnonzero((array < 0) | (array >= n_classes)).tolist()
    else:
        wrong = [row for row, label in enumerate(array.tolist()) if not _is_label(_plain(label), n_classes)][:1]
    if wrong:
        label = _plain(array[wrong[0]])
        kind = "" if _is_whole(label) else f" ({type(label).__name__}; expected whole numbers)"
        raise HeftError(f"row {wrong[0]} has label {_shown(label)}{kind}; labels are 0 to {n_classes - 1}.")
    return array.astype(np.int64)


def ids_of(value: Any) -> list[str]:
    """Texts, each once; whole numbers are written out."""
    ids = []
    for row, one in enumerate(_entries(value, "ids")):
        if isinstance(one, str) or _is_integer(one):
            ids.append(_text(str(one), f"row {row} has the id"))
        else:
            raise HeftError(
                f"row {row} has the id {_shown(one)} ({type(one).__name__}); ids are text or whole numbers."
            )
    repeated = pd.Series(ids, dtype=object).duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise HeftError(f"row {row} repeats the id {ids[row]}; ids are unique.")
    return ids


def class_names_of(value: Any) -> list[str]:
    """At least two texts, each once; numbers are written out."""
    names: list[str] = []
    for index, one in enumerate(_entries(value, "class_names")):
        if not isinstance(one, str) and (not isinstance(one, numbers.Real) or one != one):
            raise HeftError(f"class_names[{index}] is {_shown(one)} ({type(one).__name__}); names are text or numbers.")
        name = _text(str(one), f"class_names[{index}] is")
        if name in names:
            raise HeftError(
                f"class_names[{index}] is {name}, as is class_names[{names.index(name)}]; names are unique."
            )
        names.append(name)
    if len(names) < 2:
        raise HeftError(f"class_names has {len(names)} entries ({', '.join(names) or 'none'}); expected at least 2.")
    return names


def display_of(value: Any, n_channels: int) -> dict[str, Any]:
    """`mean` and `std`, each a number or a list of one for each channel; may be empty."""
    if not isinstance(value, Mapping) or set(value) - {"mean", "std"}:
        raise HeftError(f"display is {_shown(value)}; expected mean and std, or nothing: {{}}.")
    found = {}
    for key, one in value.items():
        numeric = _array(one, f"display[{key!r}]")
        if (
            numeric.dtype.kind not in "fiu"
            or numeric.shape not in ((), (n_channels,))
            or not np.isfinite(numeric).all()
        ):
            raise HeftError(
                f"display[{key!r}] is {_shown(one)}; expected a finite number, or a list of {n_channels}, one for "
                "each channel."
            )
        found[key] = numeric.astype(np.float64).tolist()
    return found


def official_test_of(value: Any, n: int) -> np.ndarray | None:
    """Bool [n], or None."""
    if value is None:
        return None
    array = _array(value, "official_test")
    if array.dtype == object and all(isinstance(one, bool | np.bool) for one in array.flat):
        array = array.astype(bool)
    if array.dtype != bool or array.shape != (n,):
        raise HeftError(f"official_test is {array.dtype} of shape {array.shape}; expected bool of shape ({n},).")
    return array


def files_of(value: Any) -> dict[str, Path]:
    """Paths of files that are there, by name."""
    if not isinstance(value, Mapping):
        raise HeftError(f"files is {_shown(value)}; expected the path of each file that was read, by its name.")
    for name, path in value.items():
        if not isinstance(name, str) or not isinstance(path, str | Path) or not Path(path).is_file():
            raise HeftError(f"files has {_shown(name)}: {_shown(path)}, which is not a file.")
    return {_text(name, "files has the name"): Path(path) for name, path in value.items()}


def _array(value: Any, field: str) -> np.ndarray:
    if np.ma.is_masked(value):
        raise HeftError(f"{field}: there are masked values; expected a value everywhere.")
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise HeftError(f"{field}: this is no array ({error}).") from error


def _entries(value: Any, field: str) -> Iterator[Any]:
    if not isinstance(value, LISTS) or (isinstance(value, np.ndarray) and value.ndim != 1):
        raise HeftError(f"{field} is {_shown(value)} ({type(value).__name__}); expected a list.")
    yield from value


def _text(text: str, where: str) -> str:
    if not text or "\0" in text:
        raise HeftError(f"{where} {text!r}; expected text that is not empty and holds no NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HeftError(f"{where} {text!r}, which is not valid Unicode (a lone surrogate).") from error
    return text


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value) and value == math.floor(value)


def _is_label(value: Any, n_classes: int) -> bool:
    return _is_whole(value) and 0 <= value < n_classes


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    text = repr(_plain(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
