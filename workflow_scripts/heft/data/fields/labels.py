"""Labels: given ones, true ones where they are known, and the names of classes that follow from them."""

import math
import numbers
from typing import Any

import numpy as np

from heft.data.fields.arrays import array_of, plain, shown
from heft.data.fields.names import names_of
from heft.errors import HeftError

GIVEN, TRUE = "label", "true label"


def labels_of(value: Any, n_classes: int, called: str = GIVEN) -> np.ndarray:
    """Int64 [n] in 0..n_classes-1."""
    array = _one_each(value, called)
    if array.dtype.kind in "iub":
        wrong = np.flatnonzero((array < 0) | (array >= n_classes)).tolist()
    else:
        wrong = [row for row, label in enumerate(array.tolist()) if not _is_label(plain(label), n_classes)][:1]
    if wrong:
        label = plain(array[wrong[0]])
        kind = "" if _is_whole(label) else f" ({type(label).__name__}; expected whole numbers)"
        article = "" if called == GIVEN else "the "
        raise HeftError(f"row {wrong[0]} has {article}{called} {shown(label)}{kind}; labels are 0 to {n_classes - 1}.")
    return array.astype(np.int64)


def trusted_of(value: Any, n: int) -> np.ndarray:
    """Bool [n]; 0 and 1 are taken for it."""
    array = _one_each(value, "trusted")
    if len(array) != n:
        raise HeftError(f"trusted has {len(array)} entries; expected one for each of {n} examples.")
    for row, entry in enumerate(array.tolist()):
        if not isinstance(entry, bool | np.bool) and not _is_label(plain(entry), 2):
            raise HeftError(f"row {row} has the value {shown(entry)} in trusted; expected true or false.")
    return array.astype(bool)


def named_labels(value: Any, true: Any = None) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    """Class names that follow from labels, and the labels, and true labels where there are some, as their indices.

    Labels are all texts or all numbers, not necessarily from 0; classes come in their order.
    """
    columns = [_one_each(value, GIVEN)] + ([] if true is None else [_one_each(true, TRUE)])
    entries = [[plain(label) for label in column.tolist()] for column in columns]
    texts = bool(entries[0]) and isinstance(entries[0][0], str)
    for called, column in zip((GIVEN, TRUE), entries, strict=False):
        for row, label in enumerate(column):
            fits = isinstance(label, str) if texts else isinstance(label, numbers.Real) and math.isfinite(label)
            if not fits:
                kind = "text, as that of row 0 is" if texts else "a number, or class_names says what the labels mean"
                raise HeftError(f"row {row} has the {called} {shown(label)} ({type(label).__name__}); expected {kind}.")
    classes = sorted({label for column in entries for label in column})
    places = {label: place for place, label in enumerate(classes)}
    names = names_of([label if texts or not _is_whole(label) else int(label) for label in classes])
    given, *others = (np.array([places[label] for label in column], np.int64) for column in entries)
    return names, given, others[0] if others else None


def _one_each(value: Any, called: str) -> np.ndarray:
    field = called if called == "trusted" else f"{called}s"
    listed = isinstance(value, list | tuple)
    array = np.fromiter(value, dtype=object, count=len(value)) if listed else array_of(value, field)
    if array.ndim != 1:
        raise HeftError(f"{field} have shape {array.shape}; expected one number for each example.")
    return array


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value) and value == math.floor(value)


def _is_label(value: Any, n_classes: int) -> bool:
    return _is_whole(value) and 0 <= value < n_classes
