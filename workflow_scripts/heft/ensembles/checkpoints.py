"""checkpoints: members are the run as it stood some epochs before its final state."""

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel, TrainedModel


@ensemble(
    title="checkpoints",
    members="the run as it stood one epoch earlier each",
    earlier_epochs=True,
)
def checkpoints(trained: TrainedModel, number: int) -> MemberModel:
    """The run, and all that was trained further, `number` epochs before the final state."""
    return MemberModel(epochs_back=number)
