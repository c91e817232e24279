"""folds: models that are each trained without a part of the data; together they hold out each example once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import Auxiliary, AuxiliaryContext
from heft.kernels.whole_folds import whole_folds
from heft.seeds import derive_seed
from heft.training.runs import TrainedRuns, train_runs

N_FOLDS = 5


@auxiliary(
    gives="further models, each trained without a part of the data",
    need="folds",
    models=5,
    group_size=5,
    holds_out_each_once=True,
)
class Folds(Auxiliary):
    """One model a fold, with the initial weights and the batch order of its member; a group is a member."""

    def train(self, context: AuxiliaryContext, numbers: Sequence[int]) -> TrainedRuns:
        return train_runs(
            context.spec,
            context.train,
            context.validation,
            context.training,
            {number: context.seeds_of(number // N_FOLDS) for number in numbers},
            weights=self.weights(context, numbers),
            dynamics=False,  # no method reads them
            called=lambda number: f"member {number // N_FOLDS}, fold {number % N_FOLDS}",
        )

    def held_out(self, labels: Tensor, units: Tensor | None, seed: int, number: int) -> Tensor:
        """The examples of the model's fold."""
        return draw_folds(labels, units, seed, number // N_FOLDS) == number % N_FOLDS


def draw_folds(labels: Tensor, units: Tensor | None, seed: int, member: int) -> Tensor:
    """The fold of each example, int64 [n] in 0..N_FOLDS-1, stratified by given label; from seed and member alone.

    Each class is spread over the folds as evenly as whole units allow, a small one over some of them. units: int64 [n];
    None where each example is one of its own. Raises HeftError where all examples are one unit.
    """
    generator, given = np.random.default_rng(derive_seed(seed, "folds", member)), labels.numpy()
    order, first = [], {}
    for label in np.unique(given).tolist():
        order.append(torch.from_numpy(generator.permutation(np.flatnonzero(given == label))))
        first[label] = int(generator.integers(N_FOLDS))
    return whole_folds(torch.cat(order), labels, units, first, N_FOLDS)
