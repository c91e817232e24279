"""What the battery says of a module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

INPUT_SHAPE, N_CLASSES = (1, 4, 4), 4
N_INPUTS = 16


@dataclass(frozen=True)
class Entry:
    """build(input_shape, n_classes), as a person's own module has it; refused: a part of the sentence that refuses it.

    own_type: the module fixes a type itself, so it is not turned into float64. draws: training draws random numbers.
    """

    build: Callable[[Sequence[int], int], nn.Module]
    refused: str = ""
    own_type: bool = False
    draws: bool = False


class Function(nn.Module):
    """A module from a function of itself and the inputs; `parts` are its submodules and parameters."""

    def __init__(self, function: Callable[["Function", Tensor], Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)

    def forward(self, inputs: Tensor) -> Any:
        return self.function(self, inputs)


def entry(build: Callable[[], nn.Module], **facts: Any) -> Entry:
    """An entry of a module that knows its own shapes."""
    return Entry(lambda _input_shape, _n_classes: build(), **facts)


def head(*before: nn.Module, width: int = 8) -> nn.Sequential:
    """The modules, then tanh and a linear layer from `width` to the logits."""
    return nn.Sequential(nn.Flatten(), *before, nn.Tanh(), nn.Linear(width, N_CLASSES))


def tokens(inputs: Tensor) -> Tensor:
    """Inputs [n, 1, 4, 4] as four tokens of four numbers [n, 4, 4]."""
    return inputs.flatten(1).view(-1, 4, 4)
