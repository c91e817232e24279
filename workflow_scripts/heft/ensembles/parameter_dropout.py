"""parameter_dropout: members are the trained model with some of its parameters set to zero.

Each parameter is zeroed with probability p_k ~ U(0, p_max), drawn for each member; the others stay as they are, or
with `rescale` are divided by 1 - p_k.
"""

from typing import Annotated

import torch
from annotated_types import Gt, Le
from torch import Tensor

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel, TrainedModel


@ensemble(
    title="parameter dropout",
    members="the trained model with some parameters set to zero",
    perturbs=True,
)
def parameter_dropout(
    trained: TrainedModel, number: int, *, p_max: Annotated[float, Gt(0), Le(1)] = 0.01, rescale: bool = False
) -> MemberModel:
    """The same masks on every state of the member, with and without `rescale`; buffers stay as they are."""
    keep, probability = dropout_masks(trained, number, p_max)
    factor, name_of = 1 / (1 - probability) if rescale else 1.0, trained.first_names
    return MemberModel(
        change=lambda state: {
            name: torch.where(keep[first], factor * tensor, 0) if (first := name_of.get(name)) in keep else tensor
            for name, tensor in state.items()
        }
    )


def dropout_masks(trained: TrainedModel, number: int, p_max: float) -> tuple[dict[str, Tensor], float]:
    """Of member `number`, for each parameter what is kept (bool), and the probability p_k of being zeroed."""
    generator = trained.generator("parameter_dropout", number)
    probability = p_max * torch.rand((), generator=generator)
    keep = {
        name: (torch.rand(parameter.shape, generator=generator) >= probability).to(trained.device)
        for name, parameter in trained.parameters
    }
    return keep, float(probability)
