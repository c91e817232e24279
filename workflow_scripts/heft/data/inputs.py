"""The data set's inputs as an array, without torch."""

from pathlib import Path

import numpy as np


def read_inputs(path: str | Path) -> np.ndarray:
    """Normalised inputs, float32 [n, C, H, W], of `inputs.safetensors`."""
    from safetensors.numpy import load_file

    return load_file(path)["inputs"]
