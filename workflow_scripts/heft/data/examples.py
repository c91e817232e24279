"""One split as tensors."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heft.artifacts import read_json, read_parquet
from heft.data.inputs import InputsFile
from heft.data.mapped_inputs import MappedInputs
from heft.data.modalities.declare import Modality, read_back
from heft.data.trust import guiding
from heft.devices import CPU
from heft.errors import HeftError


@dataclass(frozen=True)
class Examples:
    """One entry an example: ids str [n], inputs [n, ...] of the data's modality, given labels int64 [n].

    true_labels: int64 [n], None where nothing is known of them. groups: int64 [n], None where there are none. units:
    int64 [n], those of one stay together (a group, near-duplicates); None where each example is one of its own.
    modality: what the inputs are, where that is known.
    """

    ids: np.ndarray
    inputs: Tensor
    labels: Tensor
    true_labels: Tensor | None = None
    groups: Tensor | None = None
    units: Tensor | None = None
    modality: Modality | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def device(self) -> torch.device:
        """Where the inputs are, and all that is computed of them."""
        return self.inputs.device

    def to(self, device: torch.device) -> "Examples":
        """The same examples on another device."""
        columns = self.true_labels, self.groups, self.units
        known, groups, units = (None if column is None else column.to(device) for column in columns)
        inputs, labels = self.inputs.to(device), self.labels.to(device)
        return replace(self, inputs=inputs, labels=labels, true_labels=known, groups=groups, units=units)

    @property
    def wrong(self) -> np.ndarray | None:
        """[n] bool: the given label is not the true one; None where true labels are not known."""
        return None if self.true_labels is None else (self.labels != self.true_labels).cpu().numpy()


def load_examples(data_folder: str | Path, split_file: str | Path, device: torch.device = CPU) -> Examples:
    """The examples that `split_file` lists, in its order, on the device, which what is computed of them follows.

    What was fitted on the training split of the same draw is read from `transform.json` beside it. Raises HeftError
    where the file names a row that is not there.
    """
    return _loaded(Path(data_folder), Path(split_file), read_parquet(split_file), device)


def load_guiding_examples(data_folder: str | Path, split_file: str | Path, device: torch.device = CPU) -> Examples:
    """The same of those of a validation split that methods look at: see `heft.data.trust.guiding`."""
    split = read_parquet(split_file)
    return _loaded(Path(data_folder), Path(split_file), split[guiding(split)], device)


def _loaded(data_folder: Path, split_file: Path, split: pd.DataFrame, device: torch.device) -> Examples:
    inputs, facts = InputsFile(data_folder / "inputs.safetensors"), load_manifest(data_folder)["modality"]
    modality = read_back(facts)
    if modality.is_fitted:
        modality = read_back(facts, read_json(split_file.with_name(TRANSFORM)))
    rows = split["row"].to_numpy(copy=True)
    if len(rows) and int(rows.max()) >= len(inputs):
        raise HeftError(f"{split_file} names row {int(rows.max())}, but {data_folder} holds {len(inputs)} examples.")
    columns = {name: torch.from_numpy(split[name].to_numpy(copy=True)) for name in _NUMBERS if name in split}
    return Examples(
        ids=split["id"].to_numpy(dtype=str),
        inputs=inputs_of(inputs, rows, modality),
        labels=columns["label"],
        true_labels=columns.get("true_label"),
        groups=columns.get("group"),
        units=columns.get("unit"),
        modality=modality,
    ).to(device)


def inputs_of(file: InputsFile, rows: np.ndarray, modality: Modality) -> Tensor:
    """What a model is called with for these rows [n, ...], in memory where it is at most `LARGEST_IN_MEMORY`."""
    values = math.prod(modality.model_shape(file.shape))
    if 4 * len(rows) * values > LARGEST_IN_MEMORY:
        return MappedInputs(file, rows, modality)
    return modality.batch(as_rows(file.verified(rows)[rows]))


def as_rows(rows: Any) -> Any:
    """Rows of inputs as a modality takes them: a tensor; texts as they are."""
    return torch.from_numpy(rows) if isinstance(rows, np.ndarray) else rows


def load_manifest(data_folder: str | Path) -> dict[str, Any]:
    """What `prepare` wrote about the data set: see `heft.data.prepare`."""
    return read_json(Path(data_folder) / "manifest.json")


TRANSFORM = "transform.json"
LARGEST_IN_MEMORY = 2**30  # bytes of the inputs of a split, as float32
_NUMBERS = ("label", "true_label", "group", "unit")
