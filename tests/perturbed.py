"""What a kind of ensembles makes of a model and its states for a member, called as `heft.ensembles` calls it."""

from collections.abc import Callable, Collection, Mapping

from torch import Tensor, nn

from heft.ensembles.member import TrainedModel
from heft.registry import declarations


def perturbation(
    kind: str,
    model: nn.Module,
    seed: int,
    number: int,
    options: Mapping[str, float],
    moved: Collection[str] | None = None,
) -> tuple[nn.Module, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]]:
    """The model in the place of `model`, and what becomes of a state."""
    made = declarations("ensembles")[kind].load()(TrainedModel(model, seed, moved), number, **options)
    assert made.change is not None
    return made.network or model, made.change
