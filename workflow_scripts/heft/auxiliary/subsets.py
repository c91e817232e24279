"""subsets: models that are each trained on a random half of the training split."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import VARIES, Auxiliary, AuxiliaryContext
from heft.seeds import derive_seed, run_seeds
from heft.training.runs import TrainedRuns, train_runs


@auxiliary(
    gives="further models, each trained on a random half of the data",
    need="subsets",
    models="models",
    group_size=5,
)
class Subsets(Auxiliary):
    """As many models a member as the method's option `models` says, each with its own half, weights and batch order."""

    def train(self, context: AuxiliaryContext, numbers: Sequence[int]) -> TrainedRuns:
        return train_runs(
            context.spec,
            context.train,
            context.validation,
            context.training,
            {number: run_seeds(context.seed, number, VARIES) for number in numbers},
            weights=self.weights(context, numbers),
            dynamics=False,  # no method reads them
            called="subset {}".format,
        )

    def held_out(self, labels: Tensor, units: Tensor | None, seed: int, number: int) -> Tensor:
        """All but a random half of the examples, whatever their units, from seed and number alone."""
        generator = np.random.default_rng(derive_seed(seed, "subsets", number))
        held_out = torch.ones(len(labels), dtype=torch.bool)
        held_out[torch.from_numpy(generator.permutation(len(labels))[: len(labels) // 2])] = False
        return held_out
