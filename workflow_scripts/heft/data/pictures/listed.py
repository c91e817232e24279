"""Which pictures a data set has, before any of them is read."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from heft.phrases import on_one_line

N_NAMED = 3  # of many files in a sentence


@dataclass
class Listed:
    """One entry a picture: its file, its id, and the name of its class, all of the same length.

    split, true_labels, groups, trusted: one entry a picture, or None. files, missing, skipped, notes: as in `RawData`.
    """

    paths: list[Path] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    split: list[str] | None = None
    true_labels: list[str] | None = None
    groups: list[str] | None = None
    trusted: list[bool] | None = None
    files: dict[str, Path] = field(default_factory=dict)
    missing: list[Path] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def id_of(path: PurePath) -> str:
    """The path as an id: `/` between its parts, accents written as one character, whatever the machine."""
    return unicodedata.normalize("NFC", path.as_posix())


def shown_id(path: PurePath) -> str:
    """An id for a list of what was skipped; bytes that are no Unicode are written as `\\xe9`."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def named(names: Iterable[str]) -> str:
    """The first few of some names, each on one line, and how many follow."""
    listed = list(names)
    first = ", ".join(on_one_line(name) for name in listed[:N_NAMED])
    return f"{first} and {len(listed) - N_NAMED:,} more" if len(listed) > N_NAMED else first


def class_order(labels: Iterable[str]) -> list[str]:
    """The names of classes in their order; whole numbers come by their value."""
    names = set(labels)
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names)


def indices(labels: Sequence[str], names: Sequence[str]) -> list[int]:
    """The place of each label among the names of classes."""
    places = {name: place for place, name in enumerate(names)}
    return [places[label] for label in labels]
