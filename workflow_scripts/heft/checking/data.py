"""A few inputs of a prepared data set."""

from pathlib import Path

import numpy as np
from torch import Tensor

from heft.checking.subject import N_EXAMPLES
from heft.data.examples import as_rows, load_manifest
from heft.data.inputs import InputsFile
from heft.data.modalities.declare import Modality, fitted_on


def first_inputs(folder: str | Path) -> tuple[Tensor, Modality]:
    """Inputs [n, ...] as a model sees them, from all over a data set, which may be sorted by class; what they are."""
    inputs, facts = InputsFile(Path(folder) / "inputs.safetensors"), load_manifest(folder)["modality"]
    rows = np.linspace(0, len(inputs) - 1, min(N_EXAMPLES, len(inputs))).astype(int)
    chosen = inputs.verified(rows)[rows]
    modality = fitted_on(facts, chosen)
    return modality.batch(as_rows(chosen)), modality
