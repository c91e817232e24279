"""What an array of inputs is: pixels, normalised pictures, or a table of numbers."""

from typing import Any

import numpy as np

from heft.data.fields.names import names_of
from heft.data.modalities.declare import Modality
from heft.data.modalities.images import Images
from heft.data.modalities.mixed_columns import MixedColumns
from heft.errors import HeftError

CHANNELS = (1, 3, 4)  # of grey, of red, green and blue, and of these with transparency
LARGEST = float(np.finfo(np.float32).max)
ROWS_AT_ONCE = 4096


def inputs_of_array(array: np.ndarray, called: str, feature_names: Any = None) -> tuple[np.ndarray, Modality]:
    """The inputs as their modality stores them, and the modality.

    array: [n, channels, height, width] or [n, height, width, channels], where uint8 is pixels of 0 to 255 and other
    numbers are normalised; or [n, features], NaN where a value is missing. called: the array in a sentence.
    feature_names: of each column. Raises HeftError where it is of another shape or type.
    """
    shape = " x ".join(map(str, array.shape))
    if array.dtype.kind not in "fiub":
        raise HeftError(f"{called} holds {array.dtype} ({shape}); inputs are numbers.")
    if 0 in array.shape:
        raise HeftError(f"{called} is empty ({shape}).")
    if array.ndim == 4:
        return _pictures(array, called)
    if array.ndim == 2:
        return _table(array, called, feature_names)
    hint = ""
    if array.ndim == 3:
        hint = "; if these are grey pictures, save them as n x 1 x height x width, if sequences, write a data source"
    raise HeftError(
        f"{called} has {array.ndim} axes ({shape}); expected 4, pictures of n x channels x height x width, or 2, a "
        f"table of n x features{hint}."
    )


def _pictures(array: np.ndarray, called: str) -> tuple[np.ndarray, Modality]:
    if array.shape[1] not in CHANNELS and array.shape[3] in CHANNELS:
        array = np.moveaxis(array, 3, 1)
    if array.dtype == np.uint8:
        return array, Images(0.5, 0.5, pixels=True)
    return _as_float32(array, called), Images()


def _table(array: np.ndarray, called: str, feature_names: Any) -> tuple[np.ndarray, Modality]:
    width = array.shape[1]
    given = [f"feature {column}" for column in range(width)] if feature_names is None else feature_names
    names = names_of(given, "feature_names", least=1)
    if len(names) != width:
        raise HeftError(f"feature_names has {len(names)} entries; {called} has {width} columns.")
    values = np.array(array, np.float64)
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise HeftError(f"{called}, row {row}: {names[column]} is {values[row, column]}; expected a finite number.")
    missing = [names[column] for column in np.flatnonzero(np.isnan(values).any(axis=0))]
    return values, MixedColumns(names, with_missing=missing)


def _as_float32(array: np.ndarray, called: str) -> np.ndarray:
    """Raises HeftError naming the row where a number is not finite, or too large."""
    kept = np.empty(array.shape, np.float32)
    for first in range(0, len(array), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        wrong = np.argwhere(~(np.abs(array[rows]) <= LARGEST))
        if len(wrong):
            raise HeftError(
                f"{called}, row {first + wrong[0][0]} holds {array[rows][tuple(wrong[0])]}; expected a finite number."
            )
        kept[rows] = array[rows]
    return kept
