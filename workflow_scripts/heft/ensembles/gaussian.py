"""gaussian: members are the trained model with normal noise on each parameter."""

from typing import Annotated

import torch
from annotated_types import Gt

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel, TrainedModel


@ensemble(
    title="gaussian",
    members="the trained model with N(0, sigma^2) added to each parameter",
    perturbs=True,
)
def gaussian(trained: TrainedModel, number: int, *, sigma: Annotated[float, Gt(0)] = 0.01) -> MemberModel:
    """The same noise on every state of the member; buffers stay as they are."""
    generator, name_of = trained.generator("gaussian", number), trained.first_names
    noise = {
        name: (sigma * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)).to(trained.device)
        for name, parameter in trained.parameters
    }
    return MemberModel(
        change=lambda state: {
            name: tensor + noise[first] if (first := name_of.get(name)) in noise else tensor
            for name, tensor in state.items()
        }
    )
