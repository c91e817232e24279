"""Finds out which data source reads a path, by the names of files and a first look at columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from heft.data.read_files import files_below
from heft.data.tables.files import read_table
from heft.errors import HeftError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
ARRAYS = (".npy", ".npz", ".safetensors")
HUGGING_FACE = ("dataset_dict.json", "dataset_info.json", "state.json")
LOOKED_AT = 2000  # files of a folder, rows of a table
WORDS = 5  # of a text, at least, on average; fewer are the names of a category
TARGETS = ("label", "labels", "target", "class", "y", "category", "sentiment")


@dataclass(frozen=True)
class Kind:
    """A data source with its options, and what was assumed in choosing them."""

    source: str
    options: dict[str, Any] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)


def kind_of(path: Path, target: str | None) -> Kind:
    """The source for a folder or file. target: the column of labels, where the person names it.

    Raises HeftError where nothing is there, or no source reads it.
    """
    if not path.exists():
        raise HeftError(f"{path} is not there; DATA names a folder of images or texts, or a file.")
    if path.is_dir():
        return _of_folder(path)
    suffix = path.suffixes[0].lower() if path.suffixes else ""
    if suffix in TABLES:
        return _of_columns(path, target)
    if suffix in ARRAYS:
        return Kind("arrays", {"path": str(path)})
    raise HeftError(
        f"{path} is no file that a data source reads; allowed: {', '.join((*TABLES, *ARRAYS))}, or a folder with one "
        "folder of images or texts for each class."
    )


def _of_folder(path: Path) -> Kind:
    if any((path / name).is_file() for name in HUGGING_FACE):
        return Kind("hf_dataset", {"path": str(path)})
    suffixes = [file.suffix.lower() for file in islice(files_below(path), LOOKED_AT)]
    pictures, texts = (sum(suffix in known for suffix in suffixes) for known in (PICTURES, (".txt",)))
    if pictures >= max(1, texts):
        return Kind("image_folder", {"path": str(path)})
    if texts:
        return Kind("text", {"path": str(path)})
    found = ", ".join(sorted(set(suffixes))[:5]) or "no files"
    raise HeftError(
        f"{path} holds neither images nor texts, but {found}; DATA names a folder with one folder for each class, or a "
        "single file (CSV, TSV, JSONL, Parquet, npy, npz, safetensors)."
    )


def _of_columns(path: Path, target: str | None) -> Kind:
    rows = first_rows(path)
    columns = list(rows[0])
    label = target or next((name for wanted in TARGETS for name in columns if name.lower() == wanted), None)
    if label is not None and label not in columns:
        raise HeftError(f"{path} has no column {label}; it has {', '.join(columns)}.")
    others = [name for name in columns if name != label]
    if pictures := next((name for name in others if _are_pictures(row[name] for row in rows)), None):
        return Kind("image_folder", {"path": str(path)}, [f"column {pictures} holds the paths of images"])
    texts = [name for name in others if _are_texts([row[name] for row in rows])]
    if texts and len(others) - len(texts) <= 3:
        label = label or next(name for name in reversed(columns) if name not in texts)
        options = {"path": str(path), "text": texts[0], "label": label}
        return Kind("text", options, [f"column {texts[0]} holds the texts, column {label} the labels"])
    label = label or columns[-1]
    said = [] if target else [f"column {label} is the target (TARGET=... names another)"]
    return Kind("table", {"path": str(path), "target": label}, said)


def first_rows(path: Path) -> list[dict[str, str]]:
    """The first rows of a table by column, each value as text; missing ones are empty."""
    table = read_table(path)
    first = table.take(np.arange(min(LOOKED_AT, len(table))))
    columns = {name: column.to_pylist() for name, column in first.columns.items()}
    return [{name: _text(values[row]) for name, values in columns.items()} for row in range(len(first))]


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _are_pictures(values: Iterable[str]) -> bool:
    seen = [value for value in values if value]
    return bool(seen) and all(value.lower().endswith(PICTURES) for value in seen)


def _are_texts(values: list[str]) -> bool:
    """Whether values are sentences rather than numbers or names of a category: of several words, hardly one twice."""
    seen = [value for value in values if value]
    if not seen or any(_is_number(value) for value in islice(_every(seen, 50), 50)):
        return False
    words = sum(len(value.split()) for value in seen) / len(seen)
    return words >= WORDS and len(set(seen)) > len(seen) / 2


def _every(values: list[str], count: int) -> Iterator[str]:
    return (values[place] for place in range(0, len(values), max(1, len(values) // count)))


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
