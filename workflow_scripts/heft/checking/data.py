"""A few inputs of a prepared data set."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from heft.checking.subject import N_EXAMPLES
from heft.data.inputs import read_inputs


def first_inputs(file: str | Path) -> Tensor:
    """Inputs [n, C, H, W] from all over the file, which may be sorted by class."""
    inputs = read_inputs(file)
    rows = np.linspace(0, len(inputs) - 1, min(N_EXAMPLES, len(inputs))).astype(int)
    return torch.from_numpy(np.ascontiguousarray(inputs[rows]))
