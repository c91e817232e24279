"""arrays: a person's own arrays, as .npy, .npz or .safetensors: pictures or a table, and a label for each."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from heft.data.array_files import find_arrays, one_each
from heft.data.array_inputs import inputs_of_array
from heft.data.arrays import ArrayPlace, read_array
from heft.data.labelled_rows import in_order, labelled_rows, with_names_of_classes
from heft.data.sources.declare import RawData, source
from heft.data.tables.files import FileTable
from heft.data.tables.roles import Roles

COLUMNS = ("labels", "true_labels", "ids", "groups", "split", "trusted")


@source(
    origin="files of your own",
    paths=[
        "path",
        "inputs",
        "labels",
        "true_labels",
        "ids",
        "groups",
        "split",
        "trusted",
        "class_names",
        "feature_names",
    ],
    true_labels=None,
)
def arrays(
    data_dir: Path | None,
    *,
    path: str | None = None,
    inputs: str | None = None,
    labels: str | None = None,
    true_labels: str | None = None,
    ids: str | None = None,
    groups: str | None = None,
    split: str | None = None,
    trusted: str | None = None,
    class_names: str | None = None,
    feature_names: str | None = None,
) -> RawData:
    """Pictures of 0 to 255, normalised pictures, or a table; an example's id is its content's hash and its row.

    path: a file of several arrays, or a folder of files, called inputs or x, labels or y, and if known as the other
    options, each of which may name another file, such as x.npy, or an array in one, such as data.npz:x. class_names:
    of labels that are numbers from 0.
    """
    given = {"inputs": inputs, "labels": labels, "true_labels": true_labels, "ids": ids, "groups": groups}
    given |= {"split": split, "trusted": trusted, "class_names": class_names, "feature_names": feature_names}
    places = find_arrays(path, given)
    read = read_array(places["inputs"], mapped=True)
    names = {key: read_array(places[key]).tolist() for key in ("class_names", "feature_names") if key in places}
    values, modality = inputs_of_array(read, str(places["inputs"]), names.get("feature_names"))
    columns = {name: one_each(name, places[name], len(values)) for name in COLUMNS if name in places}
    table, roles = known_of_each(columns, places, len(values))
    classes = names.get("class_names")
    if classes is not None:
        table = with_names_of_classes(table, roles, dict.fromkeys(table.columns, classes))
    files = {file.name: file for file in [*([Path(path)] if path else []), *(place.path for place in places.values())]}
    raw = labelled_rows(values, modality, table, roles, ["train"], files=files)
    return in_order(raw, classes) if classes is not None else raw


def known_of_each(
    columns: Mapping[str, np.ndarray], places: Mapping[str, ArrayPlace], n: int
) -> tuple[FileTable, Roles]:
    """A table of what is known of `n` examples beside their inputs, and what each of its columns says."""
    named = {name: str(places[name]) for name in columns}
    arrow = {named[name]: pa.chunked_array([pa.array(column, from_pandas=True)]) for name, column in columns.items()}
    table = FileTable(arrow, [places["labels"].path], np.zeros(n, np.int64), np.arange(n), ["row"], "")
    return table, Roles(named["labels"], *(named.get(name) for name in COLUMNS[1:]), target_option="labels")
