"""seeds: a deep ensemble; members are independently trained models."""

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel, TrainedModel


@ensemble(
    title="seeds",
    members="models trained from other initial weights in another batch order",
    runs="seeds",
)
def seeds(trained: TrainedModel, number: int) -> MemberModel:
    """The training run of that number, as it ended."""
    return MemberModel(run=number)
