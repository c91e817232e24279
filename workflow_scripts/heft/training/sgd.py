"""Stochastic gradient descent with momentum and coupled weight decay, as torch.optim.SGD defines it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from heft.training.settings import TrainingSettings


class StochasticGradientDescent:
    """g <- grad + weight_decay * theta;  m <- momentum * m + g;  theta <- theta - learning_rate * m.

    torch.optim is not used because making its optimiser imports torch's compiler, two CPU seconds a process, more than
    a whole training of a small model. The step is the kernel of its `fused=True`: one pass over the parameters.
    """

    def __init__(self, parameters: Sequence[Tensor], settings: TrainingSettings) -> None:
        self.parameters = list(parameters)
        # The kernel wants no buffers where there is no momentum.
        self.momenta = [torch.zeros_like(parameter) for parameter in self.parameters if settings.momentum]
        self.settings = settings

    @torch.no_grad()
    def step(self, loss: Tensor, learning_rate: float) -> None:
        """One step down the gradient of `loss`."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
        torch._fused_sgd_(
            self.parameters,
            list(gradients),
            self.momenta,
            lr=learning_rate,
            momentum=self.settings.momentum,
            weight_decay=self.settings.weight_decay,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )
