"""Folds and halves of the training split, for models that did not see an example."""

import numpy as np
import torch
from torch import Tensor

from heft.seeds import derive_seed

N_FOLDS = 5


def draw_folds(labels: Tensor, seed: int, member: int) -> Tensor:
    """The fold of each example, int64 [n] in 0..N_FOLDS-1, stratified by given label; from seed and member alone.

    Each class is spread over the folds as evenly as whole numbers allow, a small one over some of them.
    """
    generator = np.random.default_rng(derive_seed(seed, "folds", member))
    fold_of = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels.numpy()):
        members = generator.permutation(np.flatnonzero(labels.numpy() == label))
        fold_of[members] = (np.arange(len(members)) + generator.integers(N_FOLDS)) % N_FOLDS
    return torch.from_numpy(fold_of)


def half_of(labels: Tensor, seed: int, number: int) -> Tensor:
    """Which examples the subset of that number keeps: bool [n], a random half, from seed and number alone."""
    generator = np.random.default_rng(derive_seed(seed, "subsets", number))
    kept = torch.zeros(len(labels), dtype=torch.bool)
    kept[torch.from_numpy(generator.permutation(len(labels))[: len(labels) // 2])] = True
    return kept
