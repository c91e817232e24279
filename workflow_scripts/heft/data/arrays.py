"""Arrays in files of a person's own: .npy, .npz and .safetensors, none of which can run code here.

Where a file holds several arrays, `file.npz:key` names one of them.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from heft.errors import HeftError

SUFFIXES = (".npy", ".npz", ".safetensors")


class ArrayPlace(NamedTuple):
    """A file, and the key of an array in it where one was named."""

    path: Path
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.key}" if self.key else str(self.path)


def array_place(named: str | Path) -> ArrayPlace:
    """The place that `file.npz:key` or `file.npz` names; a file whose own name holds the colon comes first."""
    path, _, key = str(named).rpartition(":")
    if not path or Path(named).exists() or not Path(path).suffix:
        return ArrayPlace(Path(named))
    return ArrayPlace(Path(path), key)


def keys_of(path: Path) -> list[str]:
    """The keys of the arrays in a file; none where it holds one without a key. Raises HeftError as `read_array`."""
    check_file(path, SUFFIXES)
    with _said_of(ArrayPlace(path)):
        if path.suffix.lower() == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "np") as opened:
                return sorted(opened.keys())
        loaded = np.load(path, allow_pickle=False, mmap_mode="r")
        if isinstance(loaded, np.ndarray):
            return []
        with loaded:
            return list(loaded.files)


def read_array(place: ArrayPlace | str | Path, *, mapped: bool = False) -> np.ndarray:
    """The array of a file, in this machine's byte order; of texts, as texts.

    mapped: an array in a file of its own is mapped into memory, where it need not fit as a whole; it is not written to.

    Raises HeftError naming the file, and the key where there is one, if there is no such file or array, several arrays
    and no key, objects that only pickle could read, or bytes that are no array.
    """
    place = place if isinstance(place, ArrayPlace) else array_place(place)
    check_file(place.path, SUFFIXES)
    with _said_of(place):
        of_numpy = place.path.suffix.lower() != ".safetensors"
        array = _from_numpy(place, "r" if mapped else None) if of_numpy else _from_safetensors(place)
    if array.dtype.kind == "S":
        with _said_of(place):
            array = np.char.decode(array, "utf-8")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_file(path: Path, suffixes: Sequence[str]) -> None:
    """Raises HeftError where the path is no file, is empty, or ends in none of the suffixes."""
    if path.suffix.lower() not in suffixes:
        raise HeftError(f"{path} ends in {path.suffix or 'no suffix'}; allowed are {', '.join(suffixes)}.")
    if not path.is_file():
        raise HeftError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; expected a file.")
    if not path.stat().st_size:
        raise HeftError(f"{path} is empty.")


def chosen_key(place: ArrayPlace, keys: Sequence[str]) -> str:
    """The key that the place names, or the only one there is; raises HeftError where that is none."""
    if place.key in keys:
        return str(place.key)
    held = f"{place.path} holds {', '.join(keys) or 'no array'}"
    if place.key is not None:
        raise HeftError(f"{held}; there is no {place.key}.")
    if len(keys) != 1:
        raise HeftError(f"{held}; name one of them, as in {place.path}:{keys[0]}." if keys else f"{held}.")
    return keys[0]


def _from_numpy(place: ArrayPlace, mmap_mode: Literal["r"] | None) -> np.ndarray:
    loaded = np.load(place.path, allow_pickle=False, mmap_mode=mmap_mode)
    if isinstance(loaded, np.ndarray):
        if place.key is not None:
            raise HeftError(f"{place.path} holds one array, without keys; leave out :{place.key}.")
        return loaded
    with loaded:
        array: np.ndarray = loaded[chosen_key(place, loaded.files)]
        return array


def _from_safetensors(place: ArrayPlace) -> np.ndarray:
    from safetensors import safe_open

    with safe_open(place.path, "np") as opened:
        array: np.ndarray = opened.get_tensor(chosen_key(place, sorted(opened.keys())))
        return array


@contextmanager
def _said_of(place: ArrayPlace) -> Iterator[None]:
    """Turns what the libraries raise at a file into one sentence that names it."""
    from safetensors import SafetensorError

    try:
        yield
    except (ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile, SafetensorError) as error:
        if "allow_pickle" in str(error) or "pickle" in str(error):
            raise HeftError(
                f"{place} holds objects that only pickle could read, which may run code; save numbers or texts."
            ) from error
        raise HeftError(f"{place} cannot be read as an array ({str(error).splitlines()[0]}).") from error
    except (TypeError, AttributeError, NotImplementedError) as error:
        raise HeftError(f"{place} has a type that numpy cannot read ({error}); save it as float32.") from error
