"""seeds: the model trained anew, from other initial weights and in another batch order."""

from collections.abc import Sequence

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import VARIES, Auxiliary, AuxiliaryContext
from heft.seeds import run_seeds
from heft.training.runs import TrainedRuns, train_runs


@auxiliary(
    gives="further models, trained from other initial weights in another batch order",
    group_size=5,
    first_is_base=True,
    keeps=("final", "spaced", "early", "best", "last"),
)
class Seeds(Auxiliary):
    """One model a member, from number 1 on; they share neither initial weights nor batch order."""

    def train(self, context: AuxiliaryContext, numbers: Sequence[int]) -> TrainedRuns:
        seeds = {number: run_seeds(context.seed, number, VARIES) for number in numbers}
        return train_runs(
            context.spec, context.train, context.validation, context.training, seeds, called="member {}".format
        )
