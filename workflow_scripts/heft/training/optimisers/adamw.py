"""adamw: Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101), as torch.optim.AdamW."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Lt, MaxLen, MinLen
from torch import Tensor

from heft.training.optimisers.declare import Optimiser, optimiser
from heft.training.settings import TrainingSettings


@optimiser()
class Adamw(Optimiser):
    """theta <- (1 - learning_rate * weight_decay) theta;  m <- b1 m + (1 - b1) grad;  v <- b2 v + (1 - b2) grad^2;
    theta <- theta - learning_rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps),  t the parameter's steps so far.

    betas: b1 and b2. The step is the kernel of torch's `fused=True`. `momentum` of the settings is not used.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        settings: TrainingSettings,
        *,
        betas: Annotated[Sequence[Annotated[float, Ge(0), Lt(1)]], MinLen(2), MaxLen(2)] = (0.9, 0.999),
        eps: Annotated[float, Gt(0)] = 1e-8,
    ) -> None:
        super().__init__(parameters, settings)
        self.betas, self.eps = tuple(betas), eps
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        # float32 on the parameter's device: so the kernel wants it.
        self.steps = [torch.zeros((), device=parameter.device) for parameter in self.parameters]

    def move_together(self, gradients: Mapping[int, Tensor], learning_rate: float) -> None:
        """One call of the kernel."""
        steps = [self.steps[index] for index in gradients]
        torch._foreach_add_(steps, 1)
        torch._fused_adamw_(
            [self.parameters[index] for index in gradients],
            list(gradients.values()),
            [self.means[index] for index in gradients],
            [self.squares[index] for index in gradients],
            [],
            steps,
            lr=learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.settings.weight_decay,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

    def move(self, index: int, gradient: Tensor, learning_rate: float) -> None:
        """For complex parameters, whose parts are numbers of their own, and for those with gaps in their memory."""
        parameter, mean, square = (
            torch.view_as_real(tensor) if tensor.is_complex() else tensor
            for tensor in (self.parameters[index], self.means[index], self.squares[index])
        )
        gradient = torch.view_as_real(gradient) if gradient.is_complex() else gradient
        (first, second), step = self.betas, float(self.steps[index].add_(1))
        parameter.mul_(1 - learning_rate * self.settings.weight_decay)
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        spread = (square / (1 - second**step)).sqrt_().add_(self.eps)
        parameter.addcdiv_(mean, spread, value=-learning_rate / (1 - first**step))
