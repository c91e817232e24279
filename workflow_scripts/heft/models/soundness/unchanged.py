"""A forward pass in evaluation mode has to leave its input, the parameters and the buffers as they were."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heft.errors import HeftError


def copies_of(model: nn.Module) -> dict[str, Tensor]:
    """Copies of the model's parameters and buffers by name."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {name: tensor.detach().clone() for name, tensor in tensors}


def check_same_input(given: Tensor, inputs: Tensor, label: str) -> None:
    """Raises HeftError where what the model was given differs from the inputs that it is a copy of."""
    if not torch.equal(given, inputs):
        raise HeftError(
            f"{label} changes its input in place, which is the data set itself; its forward has to work on a copy "
            "(x = x - 1 in the place of x -= 1)."
        )


def check_same_state(model: nn.Module, before: Mapping[str, Tensor], label: str) -> None:
    """Raises HeftError where a parameter or buffer differs from its copy of before."""
    for name, tensor in copies_of(model).items():
        if name not in before or not torch.equal(tensor.nan_to_num(), before[name].nan_to_num()):
            raise HeftError(
                f"{label} does not stay the same in evaluation mode: its forward pass changes {name}; change a buffer "
                "where self.training is true alone, and a parameter never."
            )
