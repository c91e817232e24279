"""Squared lengths of all per-example gradients, layer by layer: the gradient itself is formed for no example.

Linear and Conv2d layers go by their rows (`rows`), normalisation layers by what they normalised.
"""

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from heft.kernels.capture import Captured, batches_of, layers_run_once, output_gradient_batches
from heft.kernels.contraction import names_of
from heft.kernels.directional import cross_entropy
from heft.kernels.functional import MEMORY_BUDGET, Loss, State, buffers_of, evaluation, parameters_of
from heft.kernels.rows import is_matrix_layer, squared_lengths

Rule = Callable[[Any, Captured, Tensor], Tensor]  # (layer, what went through it, dl/doutput) -> squared norms [b]


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
    layers = {name: layer for name, layer in (found or {}).items() if names_of(name, layer).keys() & chosen}
    if found is None or not all(map(has_norm_rule, layers.values())):
        return _by_per_example_gradients(model, parameters, buffers, inputs, labels, loss, chosen)
    squares = []
    batches = batches_of(model, state, inputs, labels, batch_size)
    for batch in output_gradient_batches(model, state, layers, batches, loss):
        each = [squared_layer_norms(layers[name], *captured) for name, captured in batch.items()]
        squares.append(torch.stack(each).sum(dim=0))
    return torch.cat(squares)


def squared_layer_norms(layer: nn.Module, captured: Captured, delta: Tensor) -> Tensor:
    """The layer's part of |grad l_i|^2 [b]; for layers of `has_norm_rule`."""
    return RULES[type(layer)](layer, captured, delta)


def has_norm_rule(module: nn.Module) -> bool:
    """Whether RULES knows this layer, with these settings."""
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
        return False
    return is_matrix_layer(module) or (type(module) in RULES and type(module) is not nn.Conv2d)


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


def _normalisation(normalised: Callable[[Any, Captured], Tensor], *, last: bool = False) -> Rule:
    """Rule of an affine layer y = w x^ + b, from what makes x^; channels are axis 1, or all the last axes (`last`)."""

    def rule(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
        positions = range(1, delta.dim() - len(layer.normalized_shape)) if last else range(2, delta.dim())

        def squared(gradients: Tensor) -> Tensor:
            return (gradients.sum(dim=tuple(positions)) if positions else gradients).flatten(1).square().sum(dim=1)

        squares = squared(delta * normalised(layer, captured))
        return squares if layer.bias is None else squares + squared(delta)

    return rule


def _group_normalised(layer: Any, captured: Captured) -> Tensor:
    return functional.group_norm(captured.input, layer.num_groups, eps=layer.eps)


def _layer_normalised(layer: Any, captured: Captured) -> Tensor:
    return functional.layer_norm(captured.input, layer.normalized_shape, eps=layer.eps)


def _batch_normalised(layer: Any, captured: Captured) -> Tensor:
    shape = (1, -1, *(1 for _ in captured.input.shape[2:]))
    mean, variance = captured.buffers["running_mean"].view(shape), captured.buffers["running_var"].view(shape)
    return (captured.input - mean) / (variance + layer.eps).sqrt()


RULES: dict[type[nn.Module], Rule] = {
    nn.Linear: squared_lengths,
    nn.Conv2d: squared_lengths,
    nn.GroupNorm: _normalisation(_group_normalised),
    nn.LayerNorm: _normalisation(_layer_normalised, last=True),
    nn.BatchNorm1d: _normalisation(_batch_normalised),
    nn.BatchNorm2d: _normalisation(_batch_normalised),
}
