"""A short walk of plain SGD from a state, in evaluation mode."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from heft.kernels.functional import State, buffers_of, evaluation, parameters_of


def gradient_walk(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, rows: Tensor, learning_rate: float
) -> dict[str, Tensor]:
    """The state after one step on the mean cross-entropy of each line of `rows` [steps, b]; buffers stay."""
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in parameters.items()}
    with torch.enable_grad(), evaluation(model):
        for batch in rows:
            logits = functional_call(model, {**parameters, **buffers}, (inputs[batch],))
            loss = functional.cross_entropy(logits, labels[batch])
            gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
            with torch.no_grad():
                for tensor, gradient in zip(parameters.values(), gradients, strict=True):
                    if gradient is not None:
                        tensor -= learning_rate * gradient
    return {**{name: tensor.detach() for name, tensor in parameters.items()}, **buffers}
