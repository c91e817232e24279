"""Squared lengths of all per-example gradients, layer by layer: no example's whole gradient is formed.

Linear and Conv2d layers go by their matrix (`matrix_gradients`), normalisation layers by their own short gradients.
"""

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from heft.kernels.capture import Captured, batches_of, layers_run_once, output_gradient_batches
from heft.kernels.contraction import layers_owning
from heft.kernels.directional import cross_entropy
from heft.kernels.functional import MEMORY_BUDGET, Loss, State, buffers_of, evaluation, parameters_of
from heft.kernels.matrix_gradients import squared_lengths
from heft.kernels.normalisation import is_normalisation, normalisation_gradients
from heft.kernels.rows import is_matrix_layer


def squared_gradient_norms(
    model: nn.Module,
    state: State,
    inputs: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    batch_size: int | None = None,
    names: Collection[str] | None = None,
) -> Tensor:
    """|grad l_i(state)|^2: [n], over all parameters or those of `names`, where layers stand whole.

    A model with a layer that has no rule here, that runs more than once, or that shares a parameter with another is
    handled by per-example gradients, which costs many times more.
    """
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    found = layers_run_once(model, {**parameters, **buffers}, inputs[:2])
    chosen = set(parameters if names is None else names)
    layers = layers_owning(found or {}, chosen)
    if found is None or not all(map(has_known_gradients, layers.values())):
        return _by_per_example_gradients(model, parameters, buffers, inputs, labels, loss, chosen)
    squares = []
    batches = batches_of(model, state, inputs, labels, batch_size)
    for batch in output_gradient_batches(model, state, layers, batches, loss):
        each = [squared_layer_norms(layers[name], *captured) for name, captured in batch.items()]
        squares.append(torch.stack(each).sum(dim=0))
    return torch.cat(squares)


def squared_layer_norms(layer: nn.Module, captured: Captured, delta: Tensor) -> Tensor:
    """The layer's part of |grad l_i|^2 [b]; for layers of `has_known_gradients`."""
    if is_matrix_layer(layer):
        return squared_lengths(layer, captured, delta)
    parts = normalisation_gradients(layer, captured, delta).values()
    return torch.stack([part.square().sum(dim=1) for part in parts]).sum(dim=0)


def has_known_gradients(layer: nn.Module) -> bool:
    """Whether the gradients of one example by this layer, with its settings, are known: formed, or by their lengths."""
    return is_matrix_layer(layer) or is_normalisation(layer)


def _by_per_example_gradients(
    model: nn.Module,
    parameters: State,
    buffers: State,
    inputs: Tensor,
    labels: Tensor,
    loss: Loss,
    names: Collection[str],
) -> Tensor:
    def one(values: State, x: Tensor, y: Tensor) -> Tensor:
        return loss(functional_call(model, {**parameters, **values, **buffers}, (x[None],)), y[None])[0]

    moving = {name: tensor for name, tensor in parameters.items() if name in names}
    bytes_of_gradient = sum(tensor.numel() * tensor.element_size() for tensor in moving.values())
    size = max(1, MEMORY_BUDGET // bytes_of_gradient)
    squares = []
    for x, y in zip(inputs.split(size), labels.split(size), strict=True):
        with torch.no_grad(), evaluation(model):
            gradients = vmap(grad(one), in_dims=(None, 0, 0))(moving, x, y)
            squares.append(torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients.values()]).sum(dim=0))
    return torch.cat(squares)
