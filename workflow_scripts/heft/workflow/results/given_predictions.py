"""A person's file of out-of-fold probabilities, read for the training examples of a seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heft.arguments.given_predictions import check_probabilities
from heft.artifacts import read_json, read_parquet
from heft.data.arrays import array_place
from heft.data.labelled_files import read_predictions
from heft.data.read_files import read_files
from heft.errors import HeftError


def given_probabilities(named: str, examples: str, manifest: str, wanted: Sequence[str] | np.ndarray) -> Tensor:
    """Probabilities float64 [n_wanted, n_classes] of the wanted ids, columns in the order of the data's classes.

    named: a table, whose columns are named as the classes and whose rows belong to examples by a column id; or an
    array, or a table without ids, with a row for each example of the data set in its order. examples, manifest: files
    of the data set. Raises HeftError, in one sentence, where the file does not fit these.
    """
    known, classes = read_parquet(examples), [str(name) for name in read_json(manifest)["class_names"]]
    given = read_predictions(named)
    if given.ids is None and len(given.numbers) != len(known):
        raise HeftError(
            f"data.predictions: {named} holds {len(given.numbers)} rows without ids for the {len(known)} examples of "
            "the data set; give one for each, in their order, or a column id."
        )
    ids = known.sort_values("row")["id"].tolist() if given.ids is None else given.ids
    rows = {name: row for row, name in enumerate(ids)}
    missing = [str(name) for name in known["id"] if name not in rows]
    if missing:
        raise HeftError(
            f"data.predictions: {named} has no row for {len(missing)} of {len(known)} examples, such as {missing[0]}; "
            "all examples need one."
        )
    columns = _columns(named, given.numbers, given.names, classes)
    probabilities = torch.from_numpy(np.ascontiguousarray(given.numbers[:, columns], dtype=np.float64))
    check_probabilities(probabilities, f"data.predictions: {named}")
    chosen = probabilities[[rows[str(name)] for name in wanted]]
    return chosen / chosen.sum(dim=1, keepdim=True)


def state_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of the file, by which the next run finds out whether it was changed."""
    read = read_files({"predictions": array_place(given["file"]).path})
    return {"state": given["state"], "files": read.kept, "folders": read.folders}


def _columns(named: str, numbers: np.ndarray, names: Sequence[str] | None, classes: list[str]) -> list[int]:
    """The column of each class; raises HeftError where there is not one for each."""
    if numbers.ndim != 2 or (names is None and numbers.shape[1] != len(classes)):
        raise HeftError(
            f"data.predictions: {named} has shape {list(numbers.shape)}; expected a column for each of the "
            f"{len(classes)} classes, in the order {', '.join(classes)}."
        )
    if names is None:
        return list(range(len(classes)))
    if sorted(names) != sorted(classes):
        raise HeftError(
            f"data.predictions: {named} has the columns {', '.join(names)}; expected one for each class: "
            f"{', '.join(classes)}."
        )
    return [list(names).index(name) for name in classes]
