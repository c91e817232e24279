"""Stochastic gradient descent with momentum and coupled weight decay, as torch.optim.SGD defines it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from heft.training.settings import TrainingSettings


class StochasticGradientDescent:
    """g <- grad + weight_decay * theta;  m <- momentum * m + g;  theta <- theta - learning_rate * m.

    A parameter that the loss does not reach in a step is passed over: no decay, and its m stays.

    torch.optim is not used because making its optimiser imports torch's compiler, two CPU seconds a process, more than
    a whole training of a small model. The step is the kernel of its `fused=True`: one pass over the parameters.
    """

    def __init__(self, parameters: Sequence[Tensor], settings: TrainingSettings) -> None:
        self.parameters = list(parameters)
        self.momenta = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.settings = settings
        self._fused: dict[tuple[torch.device, torch.dtype], list[int]] = {}  # the kernel takes one device and type
        self._plain: list[int] = []
        for index, parameter in enumerate(self.parameters):
            parameter.grad = None
            if parameter.is_floating_point() and _same_layout(parameter, self.momenta[index]):
                self._fused.setdefault((parameter.device, parameter.dtype), []).append(index)
            else:
                self._plain.append(index)

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """One step down the gradient of `loss`; the parameters' `grad` is None afterwards."""
        # The kernel walks raw memory. `backward` lays each gradient out as its parameter; torch.autograd.grad does not.
        if loss.requires_grad:
            loss.backward()
        reached = {
            index: gradient
            for index, parameter in enumerate(self.parameters)
            if (gradient := dense(parameter.grad)) is not None
        }
        with torch.no_grad():
            for group in self._fused.values():
                self._fused_step({index: reached[index] for index in group if index in reached}, learning_rate)
            for index in self._plain:
                if index in reached:
                    self._plain_step(index, reached[index], learning_rate)
        for parameter in self.parameters:
            parameter.grad = None

    def _fused_step(self, gradients: dict[int, Tensor], learning_rate: float) -> None:
        if not gradients:
            return
        torch._fused_sgd_(
            [self.parameters[index] for index in gradients],
            list(gradients.values()),
            # The kernel wants no buffers where there is no momentum.
            [self.momenta[index] for index in gradients] if self.settings.momentum else [],
            lr=learning_rate,
            momentum=self.settings.momentum,
            weight_decay=self.settings.weight_decay,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )

    def _plain_step(self, index: int, gradient: Tensor, learning_rate: float) -> None:
        """For complex parameters, and for those with gaps in their memory, as views of a larger tensor have."""
        parameter, momentum = self.parameters[index], self.momenta[index]
        momentum.mul_(self.settings.momentum).add_(gradient).add_(parameter, alpha=self.settings.weight_decay)
        parameter.sub_(momentum, alpha=learning_rate)


def dense(gradient: Tensor | None) -> Tensor | None:
    """The gradient; a sparse one, as `nn.Embedding(sparse=True)` has, with its zeros."""
    return gradient.to_dense() if gradient is not None and gradient.is_sparse else gradient


def _same_layout(left: Tensor, right: Tensor) -> bool:
    """Whether equal places in memory hold equal entries; the stride of a dimension of size 1 does not matter."""
    strides = zip(left.shape, left.stride(), right.stride(), strict=True)
    return all(size == 1 or first == second for size, first, second in strides)
