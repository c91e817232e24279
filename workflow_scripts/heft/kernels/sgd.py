"""A short trajectory of plain SGD from a state, in evaluation mode."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from heft.kernels.calling import while_holding
from heft.kernels.functional import State, evaluation, values_of
from heft.kernels.reverse import gradients_by
from heft.kernels.selection import moved_parameters


def sgd_trajectory(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, rows: Tensor, learning_rate: float
) -> dict[str, Tensor]:
    """The state after one step on the mean cross-entropy of each line of `rows` [steps, b]; buffers stay, and so do
    parameters that training does not move."""
    values = values_of(model, state)
    moving = {name: values[name].clone().requires_grad_() for name in moved_parameters(model, state, inputs)}

    def run(held: nn.Module) -> None:
        for batch in rows:
            loss = functional.cross_entropy(held(inputs[batch]), labels[batch])
            gradients = gradients_by(loss, moving.values())
            with torch.no_grad():
                for tensor, gradient in zip(moving.values(), gradients, strict=True):
                    if gradient is not None:
                        tensor -= learning_rate * gradient

    with torch.enable_grad(), evaluation(model):
        while_holding(model, {**values, **moving}, run)
    return {**values, **{name: tensor.detach() for name, tensor in moving.items()}}
