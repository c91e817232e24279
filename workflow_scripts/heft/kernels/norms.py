"""Squared lengths of all per-example gradients, layer by layer: no example's whole gradient is formed.

Linear and Conv2d layers go by their matrix (`matrix_gradients`), normalisation layers by their own short gradients.
"""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn
from torch.func import grad, vmap

from heft.kernels.capture import Captured, batches_of, layers_run_once, output_gradient_batches
from heft.kernels.directional import cross_entropy
from heft.kernels.functional import MEMORY_BUDGET, Loss, State, call, evaluation, values_of
from heft.kernels.matrix_gradients import squared_lengths
from heft.kernels.normalisation import is_normalisation, normalisation_gradients
from heft.kernels.once import once_a_model
from heft.kernels.parts import layers_owning
from heft.kernels.reverse import gradients_one_by_one
from heft.kernels.rows import is_matrix_layer
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
    found = layers_run_once(model, state, inputs[:2], chosen)
    layers = layers_owning(found or {}, chosen)
    if not layers or not all(map(has_known_gradients, layers.values())):
        return _by_per_example_gradients(model, state, inputs, labels, loss, chosen)
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
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, loss: Loss, names: Collection[str]
) -> Tensor:
    """By torch.func where it gives what a backward pass for each example gives, else by those."""
    values = values_of(model, state)
    moving = {name: tensor for name, tensor in values.items() if name in names}
    if not moving:
        return torch.zeros(len(inputs))

    def one(moved: State, x: Tensor, y: Tensor) -> Tensor:
        return loss(call(model, {**values, **moved}, x[None]), y[None])[0]

    def at_once(x: Tensor, y: Tensor) -> Tensor:
        with torch.enable_grad(), evaluation(model):
            return _squares(vmap(grad(one), in_dims=(None, 0, 0))(moving, x, y))

    def one_by_one(x: Tensor, y: Tensor) -> Tensor:
        each = gradients_one_by_one(model, values, list(moving), x, y, loss)
        return torch.cat([_squares({name: g[None] for name, g in gradients.items()}) for gradients in each])

    def agree() -> bool:
        try:
            found, right = at_once(inputs[:2], labels[:2]), one_by_one(inputs[:2], labels[:2])
        except (RuntimeError, NotImplementedError, ValueError, TypeError):
            return False
        tolerance = 8 * torch.finfo(right.dtype).eps ** 0.5
        return bool((found - right).abs().max() <= tolerance * right.abs().max())

    squares = at_once if once_a_model(model, f"per-example gradients of {sorted(moving)}", agree) else one_by_one
    bytes_of_gradient = sum(tensor.numel() * tensor.element_size() for tensor in moving.values())
    size = max(1, MEMORY_BUDGET // bytes_of_gradient)
    parts = zip(inputs.split(size), labels.split(size), strict=True)
    return torch.cat([squares(x, y) for x, y in parts])


def _squares(gradients: Mapping[str, Tensor]) -> Tensor:
    """Squared lengths [b] of gradients [b, ...]."""
    return sum((g.reshape(len(g), -1).square().sum(dim=1) for g in gradients.values()), torch.zeros(()))
