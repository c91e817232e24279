"""Numbers the sets of near-duplicates of a data set."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from heft.data.near.components import components

if TYPE_CHECKING:
    from heft.data.modalities.declare import Modality


def numbered(examples: pd.DataFrame, inputs: Any, modality: "Modality") -> np.ndarray:
    """The number of each example's set of near-duplicates, int64 [n], from 0 by first id; -1: it has none.

    examples: columns id, row and content_hash. Identical copies of an example have its number, and no set is made of
    them alone.
    """
    unique = examples.sort_values("id").drop_duplicates("content_hash")
    pairs = modality.near_duplicates(inputs, unique["row"].to_numpy())
    sets = components(pairs, len(unique))
    kept = np.bincount(sets)[sets] > 1
    numbers = np.full(len(unique), -1, np.int64)
    numbers[kept] = np.unique(sets[kept], return_inverse=True)[1]
    of_content = pd.Series(numbers, index=unique["content_hash"])
    found: np.ndarray = of_content.loc[examples["content_hash"]].to_numpy(np.int64)
    return found
