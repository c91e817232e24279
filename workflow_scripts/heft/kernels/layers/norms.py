"""Squared lengths of all per-example gradients, layer by layer: no example's whole gradient is formed.

Linear and Conv2d layers go by their matrix (`matrix_gradients`), normalisation layers by their own short gradients.
"""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from heft.kernels.example_gradients import example_gradients
from heft.kernels.functional import Loss, State
from heft.kernels.layers.capture import Captured, batches_of, layers_run_once, output_gradient_batches
from heft.kernels.layers.matrix_gradients import squared_lengths
from heft.kernels.layers.normalisation import is_normalisation, normalisation_gradients
from heft.kernels.layers.parts import layers_owning
from heft.kernels.layers.rows import is_matrix_layer
from heft.kernels.losses import cross_entropy
from heft.kernels.selection import moved_parameters


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
    """|grad l_i(state)|^2: [n], over the parameters that training moves, or those of `names`.

    A model with a layer that has no rule here, that runs more than once, or that shares a parameter with another is
    handled by per-example gradients, which costs many times more.
    """
    chosen = set(moved_parameters(model, state, inputs) if names is None else names)
    run_once = layers_run_once(model, state, inputs[:2], chosen)
    layers = layers_owning(run_once or {}, chosen)
    if not layers or not all(map(has_known_gradients, layers.values())):
        return _of_whole_gradients(model, state, inputs, labels, loss, chosen)
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


def _of_whole_gradients(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, loss: Loss, names: Collection[str]
) -> Tensor:
    if not names:
        return torch.zeros(len(inputs), device=inputs.device)
    batches = example_gradients(model, state, inputs, labels, loss, sorted(names))
    each = ([g.reshape(len(g), -1).square().sum(dim=1) for g in batch.values()] for batch in batches)
    return torch.cat([torch.stack(squares).sum(dim=0) for squares in each])
