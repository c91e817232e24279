"""The gradients G_i of all examples by the matrix of a Linear or Conv2d layer (`rows`), their products and lengths."""

from typing import Any

import torch
from torch import Tensor

from heft.kernels.functional import MEMORY_BUDGET
from heft.kernels.layers.capture import Captured
from heft.kernels.layers.rows import n_positions, rows_of


def flat_gradients(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
    """The G_i [b, g * out * in (+ 1)], in the order of `layer_matrix`."""
    by_group = _gradients_by_group(layer, captured, delta)
    if layer.bias is None:
        gradients = by_group["weight"]
    else:
        gradients = torch.cat([by_group["weight"], by_group["bias"][..., None]], dim=-1)
    return gradients.transpose(0, 1).flatten(1)


def parameter_gradients(layer: Any, captured: Captured, delta: Tensor) -> dict[str, Tensor]:
    """The gradient of each example by weight and bias, where the layer has one [b, length of the parameter]."""
    by_group = _gradients_by_group(layer, captured, delta)
    return {key: gradients.transpose(0, 1).flatten(1) for key, gradients in by_group.items()}


def _gradients_by_group(layer: Any, captured: Captured, delta: Tensor) -> dict[str, Tensor]:
    """By weight [g, b, out, in], and by the bias, where the layer has one [g, b, out]."""
    a, delta = rows_of(layer, captured, delta, ones=False)
    gradients = {"weight": delta.mT @ a}
    if layer.bias is not None:
        gradients["bias"] = delta.sum(dim=2)
    return gradients


def examples_in_budget(layer: Any, delta: Tensor) -> int:
    """Of how many examples the rows and the G_i stay within the budget; at least 1."""
    n_out, n_in = len(layer.weight), layer.weight[0].numel()
    groups = getattr(layer, "groups", 1)
    numbers = n_positions(layer, delta) * (groups * n_in + n_out) + n_out * n_in
    return max(1, MEMORY_BUDGET // (numbers * delta.element_size()))


def inner_products(layer: Any, captured: Captured, delta: Tensor, matrices: Tensor) -> Tensor:
    """<V_k, G_i> for directions V_k, matrices [k, g, out, in (+ 1)]: [k, b].

    At one position as <V_k [a_i; 1], delta_i>, some directions at a time; at several by the G_i, of some examples at a
    time: as many as the budget holds, or so many that they take half of what the directions take.
    """
    if n_positions(layer, delta) == 1:
        a, by_output = rows_of(layer, captured, delta)
        parts = matrices.split(max(1, MEMORY_BUDGET // (delta.numel() * delta.element_size())))
        return torch.cat([_by_outputs(a[:, :, 0], by_output, part) for part in parts])
    size, products = max(examples_in_budget(layer, delta), len(matrices) // 2), []
    for inputs, by_output in zip(captured.input.split(size), delta.split(size), strict=True):
        gradients = flat_gradients(layer, captured._replace(input=inputs), by_output)
        products.append(matrices.flatten(1) @ gradients.T)
    return torch.cat(products, dim=1)


def _by_outputs(a: Tensor, delta: Tensor, matrices: Tensor) -> Tensor:
    """a [g, b, in (+ 1)], delta [g, b, 1, out], matrices [k, g, out, in (+ 1)]: [k, b]."""
    outputs = a @ matrices.transpose(0, 1).flatten(1, 2).mT  # [g, b, k * out]
    return torch.linalg.vecdot(outputs.unflatten(2, (len(matrices), -1)), delta).sum(dim=0).T


def squared_lengths(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
    """|G_i|^2 [b]: products of lengths for one position; for several the sum over positions comes before the square.

    It goes by the products of all pairs of positions, or by the G_i, whichever is smaller.
    """
    if has_short_gradients(layer, delta):
        return flat_gradients(layer, captured, delta).square().sum(dim=1)
    a, delta = rows_of(layer, captured, delta, ones=False)
    of_bias = float(layer.bias is not None)  # a row's 1, which a bias is multiplied by, times itself
    if a.shape[2] == 1:
        return ((a.square().sum(dim=(2, 3)) + of_bias) * delta.square().sum(dim=(2, 3))).sum(dim=0)
    return ((a @ a.mT + of_bias) * (delta @ delta.mT)).sum(dim=(0, 2, 3))


def has_short_gradients(layer: Any, delta: Tensor) -> bool:
    """Whether there are fewer numbers in a G_i than pairs of positions, of which there is more than one."""
    positions = n_positions(layer, delta)
    return positions > 1 and positions**2 > layer.weight.numel() // getattr(layer, "groups", 1)
