"""Arrays, and how a value is shown in a sentence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heft.errors import HeftError

EXACT = ("float32", "float16", "uint8", "int8", "uint16", "int16", "bool")  # types whose values float32 holds exactly
ROWS_AT_ONCE = 1000


def array_of(value: Any, field: str) -> np.ndarray:
    """The value as an array; raises HeftError where it is none, or values are masked."""
    if np.ma.is_masked(value):
        raise HeftError(f"{field}: there are masked values; expected a value everywhere.")
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise HeftError(f"{field}: this is no array ({error}).") from error


def inputs_of(value: Any, axes: Sequence[str]) -> np.ndarray:
    """Float32 [n, *axes] in C order, of finite numbers that float32 holds exactly; `axes` are the names of the axes."""
    array = array_of(value, "inputs")
    if array.ndim != 1 + len(axes) or 0 in array.shape[1:] or array.dtype.kind not in "fiub":
        raise HeftError(
            f"inputs have shape {array.shape} and type {array.dtype}; "
            f"expected float32 of shape [{', '.join(['n', *axes])}]."
        )
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=np.float32)
    for first in range(0, len(array), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        _check_exact(array[rows], converted[rows], first)
    return converted


def _check_exact(given: np.ndarray, kept: np.ndarray, first: int) -> None:
    """Raises HeftError where a number of the rows from `first` on is not finite, or another one as float32."""
    not_finite = np.argwhere(~np.isfinite(given))
    if len(not_finite):
        number = given[tuple(not_finite[0])]
        raise HeftError(f"row {first + not_finite[0][0]} holds a value that is not finite ({number}); all are numbers.")
    if given.dtype.name not in EXACT:
        rounded = np.argwhere(given.astype(np.longdouble) != kept.astype(np.longdouble))
        if len(rounded):
            number = given[tuple(rounded[0])]
            raise HeftError(
                f"row {first + rounded[0][0]} holds {number}, which is {given.dtype} and no float32; "
                "where rounding is meant, return inputs.astype(np.float32)."
            )


def number_or_each(value: Any, n: int, field: str, each: str) -> float | list[float]:
    """A finite number, or a list of `n` of them; raises HeftError that says `one for each {each}`."""
    numeric = array_of(value, field)
    if numeric.dtype.kind not in "fiu" or numeric.shape not in ((), (n,)) or not np.isfinite(numeric).all():
        raise HeftError(f"{field} is {shown(value)}; expected a finite number, or a list of {n}, one for each {each}.")
    numbers: float | list[float] = numeric.astype(np.float64).tolist()
    return numbers


def plain(value: Any) -> Any:
    """A number of numpy as one of Python; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def shown(value: Any) -> str:
    """A value as Python writes it, cut where long."""
    text = repr(plain(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
