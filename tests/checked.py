"""Models for the check of a model."""

from typing import Any

import battery
import torch
from torch import Tensor, nn

from heft.checking.subject import Subject, subject_of
from heft.models.build import ModelSpec


class Twofold(torch.autograd.Function):
    """The identity, whose gradient is twice too large, and whose tangent is not."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None: ...

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return tangent.clone()


class Straight(nn.Module):
    """A gradient of its own making, which forward mode does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(16, 8), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(Twofold.apply(torch.tanh(self.first(x.flatten(1)))))


def subject(name: str) -> Subject:
    return subject_of(ModelSpec(f"battery_models:{name}", {}, battery.INPUT_SHAPE, battery.N_CLASSES))
