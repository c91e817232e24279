"""fine_tunes: each member's final state, trained further on the validation split."""

from collections.abc import Sequence

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import Auxiliary, AuxiliaryContext
from heft.training.fine_tuning import fine_tune
from heft.training.runs import TrainedRuns


@auxiliary(
    gives="the model trained further on validation labels",
    need="fine_tuned",
    continues="seeds",
    fine_tuning=True,
    trains_on_validation=True,
    final="last",  # the validation split, which it saw, cannot say which epoch is the best
)
class FineTunes(Auxiliary):
    """One model a member, by the settings `fine_tuning`."""

    def train(self, context: AuxiliaryContext, numbers: Sequence[int]) -> TrainedRuns:
        (number,) = numbers
        return fine_tune(
            context.spec,
            context.continued[number],
            context.validation,
            context.training,
            context.fine_tuning,
            context.seeds_of(number),
            number,
        )
