"""One split as tensors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heft.artifacts import read_json, read_parquet
from heft.data.inputs import InputsFile
from heft.errors import HeftError


@dataclass(frozen=True)
class Examples:
    """One entry an example: ids str [n], inputs [n, C, H, W], given labels and true labels int64 [n].

    groups: int64 [n], `None` where there are none.
    """

    ids: np.ndarray
    inputs: Tensor
    labels: Tensor
    true_labels: Tensor
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)


def load_examples(data_folder: str | Path, split_file: str | Path) -> Examples:
    """The examples that `split_file` lists, in its order; raises HeftError where it names a row that is not there."""
    inputs = InputsFile(Path(data_folder) / "inputs.safetensors")
    split = read_parquet(split_file)
    rows = split["row"].to_numpy(copy=True)
    if len(rows) and int(rows.max()) >= len(inputs):
        raise HeftError(f"{split_file} names row {int(rows.max())}, but {data_folder} holds {len(inputs)} examples.")
    return Examples(
        ids=split["id"].to_numpy(dtype=str),
        inputs=torch.from_numpy(inputs.verified(rows))[torch.from_numpy(rows)],
        labels=torch.from_numpy(split["label"].to_numpy(copy=True)),
        true_labels=torch.from_numpy(split["true_label"].to_numpy(copy=True)),
    )


def load_manifest(data_folder: str | Path) -> dict[str, Any]:
    """What `prepare` wrote about the data set: see `heft.data.prepare`."""
    return read_json(Path(data_folder) / "manifest.json")
