"""What an optimiser declares and does: it moves the parameters of one training.

torch.optim is not used because making its optimisers imports torch's compiler, two CPU seconds a process, more than a
whole training of a small model.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from heft.options import named
from heft.registry import find
from heft.training.settings import TrainingSettings


class Optimiser(ABC):
    """Steps down the gradient of a loss; registered by `@optimiser`.

    A parameter that the loss does not reach in a step is passed over: it and its state stay. What one entry of a
    parameter becomes may depend on that entry alone, its gradients and the number of steps: many models are trained as
    one, with a stack of their parameters.
    """

    def __init__(self, parameters: Sequence[Tensor], settings: TrainingSettings) -> None:
        self.parameters = list(parameters)
        self.settings = settings
        self._fused: dict[tuple[torch.device, torch.dtype], list[int]] = {}  # a kernel takes one device and type
        self._plain: list[int] = []
        for index, parameter in enumerate(self.parameters):
            parameter.grad = None
            if parameter.is_floating_point() and _same_layout(parameter, torch.empty_like(parameter)):
                self._fused.setdefault((parameter.device, parameter.dtype), []).append(index)
            else:
                self._plain.append(index)

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """One step down the gradient of `loss`; the parameters' `grad` is None afterwards."""
        # Kernels walk raw memory. `backward` lays each gradient out as its parameter; torch.autograd.grad does not.
        if loss.requires_grad:
            loss.backward()
        reached = {
            index: gradient
            for index, parameter in enumerate(self.parameters)
            if (gradient := dense(parameter.grad)) is not None
        }
        with torch.no_grad():
            for group in self._fused.values():
                if gradients := {index: reached[index] for index in group if index in reached}:
                    self.move_together(gradients, learning_rate)
            for index in self._plain:
                if index in reached:
                    self.move(index, reached[index], learning_rate)
        for parameter in self.parameters:
            parameter.grad = None

    @abstractmethod
    def move(self, index: int, gradient: Tensor, learning_rate: float) -> None:
        """Moves `self.parameters[index]` in place, by operations that take tensors of any type and layout."""

    def move_together(self, gradients: Mapping[int, Tensor], learning_rate: float) -> None:
        """The same for parameters, by index, of one device and floating type, that lie in memory without gaps."""
        for index, gradient in gradients.items():
            self.move(index, gradient, learning_rate)


Kind = TypeVar("Kind", bound=type[Optimiser])


def optimiser() -> Callable[[Kind], Kind]:
    """Registers a class derived from `Optimiser`; its options are the keyword-only parameters of its `__init__`."""
    return lambda kind: kind


def optimiser_of(settings: TrainingSettings, parameters: Sequence[Tensor]) -> Optimiser:
    """The optimiser that the settings name, for these parameters."""
    name, options = named(settings.optimiser)
    made: Optimiser = find("training/optimisers", name).configured(options)(parameters, settings)
    return made


def dense(gradient: Tensor | None) -> Tensor | None:
    """The gradient; a sparse one, as `nn.Embedding(sparse=True)` has, with its zeros."""
    return gradient.to_dense() if gradient is not None and gradient.is_sparse else gradient


def _same_layout(left: Tensor, right: Tensor) -> bool:
    """Whether equal places in memory hold equal entries; the stride of a dimension of size 1 does not matter."""
    strides = zip(left.shape, left.stride(), right.stride(), strict=True)
    return all(size == 1 or first == second for size, first, second in strides)
