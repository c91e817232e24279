"""Which arrays of a person's files are the inputs, the labels and what else is known of each example."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from heft.data.arrays import SUFFIXES, ArrayPlace, array_place, keys_of, read_array
from heft.errors import HeftError

# What an array may be called, in any case; the first that is there is taken.
USUAL = {
    "inputs": ("inputs", "x", "images", "features", "data"),
    "labels": ("labels", "y", "label", "targets", "target"),
    **{name: (name,) for name in ("true_labels", "ids", "groups", "split", "trusted", "class_names", "feature_names")},
}


def find_arrays(path: str | None, given: Mapping[str, str | None]) -> dict[str, ArrayPlace]:
    """{name: place} of the arrays that are there; names are those of `USUAL`.

    path: a file of several arrays, or a folder of files of one each. given: {name: `file` or `file:key`}, None where
    the array is to be found at `path`. Raises HeftError where inputs or labels are not found.
    """
    known = dict(_arrays_at(Path(path))) if path else {}
    lower = {name.lower(): place for name, place in reversed(known.items())}
    found = {name: array_place(text) for name, text in given.items() if text}
    for name, usual in USUAL.items():
        place = next((lower[one] for one in usual if one in lower), None)
        if name not in found and place is not None:
            found[name] = place
    for name in ("inputs", "labels"):
        if name not in found:
            holds = f"{path} holds {', '.join(known) or 'no array'}, none of which is called" if path else "call it"
            raise HeftError(
                f"{name}: no array is named, and {holds} {' or '.join(USUAL[name][:2])}; name one, as in {name}: "
                f"{path or 'data.npz'}:key or {name}: {name}.npy."
            )
    return found


def one_each(name: str, place: ArrayPlace, n: int) -> np.ndarray:
    """The array [n] of texts or numbers; raises HeftError where it has another shape."""
    array = read_array(place)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    shape = " x ".join(map(str, array.shape))
    if array.ndim == 2 and name in ("labels", "true_labels") and len(array) == n:
        raise HeftError(
            f"{name} ({place}) has {array.shape[1]} values an example ({shape}), and Heft weighs data with one class "
            f"each; if one of them is 1 and the others 0, save {name}.argmax(axis=1)."
        )
    if array.shape != (n,) or array.dtype.kind not in "fiubU":
        raise HeftError(
            f"{name} ({place}) has shape {shape} and type {array.dtype}; expected one for each of {n} inputs."
        )
    return array


def _arrays_at(place: Path) -> Iterator[tuple[str, ArrayPlace]]:
    if not place.is_dir():
        yield from ((key, ArrayPlace(place, key)) for key in keys_of(place))
        return
    for file in sorted(place.iterdir()):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            keys = keys_of(file)
            yield from (
                [(file.stem, ArrayPlace(file))] if len(keys) < 2 else ((key, ArrayPlace(file, key)) for key in keys)
            )
