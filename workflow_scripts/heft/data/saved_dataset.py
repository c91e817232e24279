"""A folder that `save_to_disk` of Hugging Face's `datasets` has written, read by pyarrow alone.

A data set is `dataset_info.json`, which tells what each column is, `state.json`, which names files, and these files, in
the streaming format of Arrow. One with splits is `dataset_dict.json` and such a folder for each.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from heft.data.settings import SPLITS
from heft.data.split_names import SPLIT_OF
from heft.data.tables.files import FileTable
from heft.errors import HeftError

INFO, STATE, SPLITS_FILE = "dataset_info.json", "state.json", "dataset_dict.json"
EXPECTED = "expected a folder that save_to_disk of datasets has written"


@dataclass(frozen=True)
class SavedDataset:
    """table: the rows of all splits. parts: of each folder of the table, the split that it is.

    class_names: of each column that holds the places of classes. pictures: columns of encoded pictures. left_out: names
    of splits that are none of train, validation and test.
    """

    table: FileTable
    parts: Sequence[str]
    class_names: Mapping[str, Sequence[str]]
    pictures: Sequence[str]
    left_out: Sequence[str]


def read_saved_dataset(folder: Path) -> SavedDataset:
    """Raises HeftError naming the file where the folder is no such data set, or splits have other columns."""
    names = _split_names(folder)
    known = [name for name in names if name.lower() in SPLIT_OF]
    known.sort(key=lambda name: SPLITS.index(SPLIT_OF[name.lower()]))
    folders = {name: folder / name for name in known} if names else {"train": folder}
    if not folders:
        raise HeftError(f"{folder} has the splits {', '.join(names)}; one must be train.")
    read = {place: _read_one(place) for place in folders.values()}
    tables = {place: table for place, (table, _) in read.items()}
    first, features = next(iter(tables.values())), next(iter(read.values()))[1]
    for place, table in tables.items():
        if not table.schema.equals(first.schema):
            raise HeftError(f"{place} has other columns than {next(iter(tables))}; expected the same in each split.")
    sizes = [table.num_rows for table in tables.values()]
    columns = pa.concat_tables([table.replace_schema_metadata() for table in tables.values()])
    return SavedDataset(
        FileTable(
            dict(zip(columns.column_names, columns.columns, strict=True)),
            list(tables),
            np.repeat(np.arange(len(tables)), sizes),
            np.concatenate([np.arange(1, size + 1) for size in sizes]),
            ["row"] * len(tables),
            "",
        ),
        [SPLIT_OF[name.lower()] for name in folders],
        {name: what["names"] for name, what in features.items() if _kind(what) == "ClassLabel"},
        [name for name, what in features.items() if _kind(what) == "Image"],
        [name for name in names if name.lower() not in SPLIT_OF],
    )


def _split_names(folder: Path) -> list[str]:
    """The names of the splits; none where the folder is one data set."""
    if (folder / SPLITS_FILE).is_file():
        return [str(name) for name in _json(folder / SPLITS_FILE, "splits", list)]
    if not (folder / STATE).is_file():
        raise HeftError(f"{folder} has no {STATE} and no {SPLITS_FILE}; {EXPECTED}.")
    return []


def _read_one(folder: Path) -> tuple[pa.Table, Mapping[str, Any]]:
    """The rows, and what each column is."""
    state, features = _json(folder / STATE, "_data_files", list), _json(folder / INFO, "features", dict)
    if _all_of(folder / STATE).get("_indices_data_files"):
        raise HeftError(f"{folder} holds a selection of rows; call flatten_indices() before save_to_disk().")
    files = [folder / str(one.get("filename")) for one in state]
    tables = [_read_arrow(file) for file in files]
    if not sum(table.num_rows for table in tables):
        raise HeftError(f"{folder} has no row.")
    return pa.concat_tables(tables), features


def _read_arrow(file: Path) -> pa.Table:
    """The rows of a file, mapped into memory."""
    if not file.is_file():
        raise HeftError(f"{file} is not there, though {STATE} names it.")
    try:
        return pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
    except (pa.ArrowException, OSError) as error:
        raise HeftError(f"{file} cannot be read as a stream of Arrow ({str(error).splitlines()[0]}).") from error


def _json(file: Path, key: str, kind: type) -> Any:
    value = _all_of(file).get(key)
    if not isinstance(value, kind):
        raise HeftError(f"{file} has no {key}; {EXPECTED}.")
    return value


def _all_of(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HeftError(f"{file} is not there; {EXPECTED}.") from None
    except ValueError as error:
        raise HeftError(f"{file} cannot be read as JSON ({error}).") from error
    return content if isinstance(content, dict) else {}


def _kind(feature: Any) -> str:
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""
