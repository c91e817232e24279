"""sgd: stochastic gradient descent with momentum and coupled weight decay, as torch.optim.SGD defines it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from heft.training.optimisers.declare import Optimiser, optimiser
from heft.training.settings import TrainingSettings


@optimiser()
class Sgd(Optimiser):
    """g <- grad + weight_decay * theta;  m <- momentum * m + g;  theta <- theta - learning_rate * m.

    `momentum` stands in the settings of training. The step is the kernel of torch's `fused=True`: one pass over the
    parameters.
    """

    def __init__(self, parameters: Sequence[Tensor], settings: TrainingSettings) -> None:
        super().__init__(parameters, settings)
        self.momenta = [torch.zeros_like(parameter) for parameter in self.parameters]

    def move_together(self, gradients: Mapping[int, Tensor], learning_rate: float) -> None:
        """One call of the kernel."""
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

    def move(self, index: int, gradient: Tensor, learning_rate: float) -> None:
        """For complex parameters, and for those with gaps in their memory, as views of a larger tensor have."""
        parameter, momentum = self.parameters[index], self.momenta[index]
        momentum.mul_(self.settings.momentum).add_(gradient).add_(parameter, alpha=self.settings.weight_decay)
        parameter.sub_(momentum, alpha=learning_rate)
