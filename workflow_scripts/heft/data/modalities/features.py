"""features: what an encoder has made of examples of another modality, or a person has computed: a row of numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heft.data.modalities.declare import Modality, Shown, modality

N_SHOWN = 4  # features of a row


@modality(axes=["features"], from_axes=False)
class Features(Modality):
    """Numbers that have no name and no unit."""

    duplicates = "together"

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """None."""
        return {}

    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """The largest features of each row, by their number."""
        return [
            Shown(values=[(f"feature {at}", f"{inputs[row][at]:.4g}") for at in _largest(inputs[row])]) for row in rows
        ]


def _largest(row: np.ndarray) -> list[int]:
    return [int(at) for at in np.argsort(-abs(row), kind="stable")[:N_SHOWN]]
