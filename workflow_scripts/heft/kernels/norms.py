"""Squared lengths of all per-example gradients, layer by layer: the gradient itself is formed for no example.

A layer's gradient for example i is sum_t delta_it a_it^T over positions t (one for a plain Linear layer), so that with
one position |g_i|^2 = |delta_i|^2 |a_i|^2. With several, the sum comes before the square: either from the products of
all pairs of positions, or from one small matrix a layer and example, whichever is smaller.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from heft.kernels.capture import Captured, captured_layers, layers_run_once, output_gradients
from heft.kernels.directional import Loss, cross_entropy
from heft.kernels.functional import MEMORY_BUDGET, State, batch_size_for, buffers_of, evaluation, parameters_of

Rule = Callable[[Any, Captured, Tensor], Tensor]  # (layer, what went through it, dl/doutput) -> squared norms [b]


def squared_gradient_norms(
    model: nn.Module,
    state: State,
    inputs: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    batch_size: int | None = None,
) -> Tensor:
    """|grad l_i(state)|^2 over all parameters: [n].

    A model with a layer that has no rule here, that runs more than once, or that shares a parameter with another is
    handled by per-example gradients, which costs many times more.
    """
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    found = layers_run_once(model, {**parameters, **buffers}, inputs[:2])
    layers = list(found.values()) if found is not None else []
    if found is None or not all(map(_has_rule, layers)):
        return _by_per_example_gradients(model, parameters, buffers, inputs, labels, loss)
    size = batch_size or batch_size_for(model, state, inputs, tangents=1)
    leaves = {name: tensor.requires_grad_() for name, tensor in parameters.items()}
    squares = []
    for x, y in zip(inputs.split(size), labels.split(size), strict=True):
        with torch.enable_grad(), evaluation(model), captured_layers(layers) as captured:
            losses = loss(functional_call(model, {**leaves, **buffers}, (x,)), y)
            deltas = output_gradients(losses.sum(), layers, captured)
        with torch.no_grad():
            each = [
                RULES[type(layer)](layer, captured[layer], delta) for layer, delta in zip(layers, deltas, strict=True)
            ]
            squares.append(torch.stack(each).sum(dim=0))
    return torch.cat(squares)


def _has_rule(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d) and (module.padding_mode != "zeros" or isinstance(module.padding, str)):
        return False
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
        return False
    return type(module) in RULES


def _by_per_example_gradients(
    model: nn.Module, parameters: State, buffers: State, inputs: Tensor, labels: Tensor, loss: Loss
) -> Tensor:
    def one(values: State, x: Tensor, y: Tensor) -> Tensor:
        return loss(functional_call(model, {**values, **buffers}, (x[None],)), y[None])[0]

    bytes_of_gradient = sum(tensor.numel() * tensor.element_size() for tensor in parameters.values())
    size = max(1, MEMORY_BUDGET // bytes_of_gradient)
    squares = []
    for x, y in zip(inputs.split(size), labels.split(size), strict=True):
        with torch.no_grad(), evaluation(model):
            gradients = vmap(grad(one), in_dims=(None, 0, 0))(dict(parameters), x, y)
            squares.append(torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients.values()]).sum(dim=0))
    return torch.cat(squares)


def _linear(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
    a = captured.input.flatten(1, -2) if delta.dim() > 2 else captured.input[:, None]  # [b, t, in]
    delta = delta.flatten(1, -2) if delta.dim() > 2 else delta[:, None]  # [b, t, out]
    return _outer_products(a, delta) + _bias(layer, delta)


def _convolution(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
    columns = functional.unfold(
        captured.input, layer.kernel_size, layer.dilation, layer.padding, layer.stride
    )  # [b, C k k, t]
    groups = layer.groups
    a_of_groups = columns.unflatten(1, (groups, -1)).flatten(0, 1).mT  # [b groups, t, C k k / groups]
    delta = delta.flatten(2)  # [b, C_out, t]
    delta_of_groups = delta.unflatten(1, (groups, -1)).flatten(0, 1).mT
    products = _outer_products(a_of_groups, delta_of_groups).unflatten(0, (-1, groups)).sum(dim=1)
    return products + _bias(layer, delta.mT)


def _outer_products(a: Tensor, delta: Tensor) -> Tensor:
    """|sum_t delta_t a_t^T|^2 for each leading entry, from a [b, t, in] and delta [b, t, out]: [b]."""
    positions = a.shape[1]
    if positions == 1:
        return a.square().sum(dim=(1, 2)) * delta.square().sum(dim=(1, 2))
    if positions**2 <= a.shape[2] * delta.shape[2]:
        return ((a @ a.mT) * (delta @ delta.mT)).sum(dim=(1, 2))
    return (delta.mT @ a).square().sum(dim=(1, 2))


def _bias(layer: Any, delta: Tensor) -> Tensor:
    """Of delta [b, t, out]: |sum_t delta_t|^2, 0 without a bias."""
    return delta.sum(dim=1).square().sum(dim=1) if layer.bias is not None else delta.new_zeros(len(delta))


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
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.GroupNorm: _normalisation(_group_normalised),
    nn.LayerNorm: _normalisation(_layer_normalised, last=True),
    nn.BatchNorm1d: _normalisation(_batch_normalised),
    nn.BatchNorm2d: _normalisation(_batch_normalised),
}
