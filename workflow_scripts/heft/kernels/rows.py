"""What a Linear or Conv2d layer's gradients are made of: rows that enter it, and gradients of its output.

The gradient of example i by the layer's matrix [W | b] is  G_i = sum_t delta_it [a_it; 1]^T  over positions t: one for
a plain Linear layer, the pixels of the output for a convolution, whose rows are unfolded patches.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from heft.kernels.capture import Captured
from heft.kernels.functional import MEMORY_BUDGET


class Rows(NamedTuple):
    """a [g, b, t, in (+ 1 where the layer has a bias)] and delta [g, b, t, out]; g: the groups of a convolution."""

    a: Tensor
    delta: Tensor


def is_matrix_layer(layer: nn.Module) -> bool:
    """Whether `rows_of` knows the layer: Linear, and Conv2d with zeros around the image; exact types only."""
    if type(layer) is nn.Conv2d:
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return type(layer) is nn.Linear


def rows_of(layer: Any, captured: Captured, delta: Tensor, *, ones: bool = True) -> Rows:
    """The rows of one batch, from what entered the layer and the gradient by its output.

    ones: whether a row ends with the 1 that a bias is multiplied by, for which all rows are copied.
    """
    ones = ones and layer.bias is not None
    if type(layer) is nn.Linear:
        parts = (captured.input, delta)
        a, delta = ((part.flatten(1, -2) if part.dim() > 2 else part[:, None])[None] for part in parts)
        return Rows(torch.cat([a, a.new_ones(*a.shape[:-1], 1)], dim=-1) if ones else a, delta)
    columns = functional.unfold(
        captured.input, layer.kernel_size, layer.dilation, layer.padding, layer.stride
    )  # [b, C k k, t]
    columns = columns.unflatten(1, (layer.groups, -1))
    if ones:  # here, where it is added to the end of a block of memory
        columns = torch.cat([columns, columns.new_ones(*columns.shape[:2], 1, columns.shape[3])], dim=2)
    delta = delta.flatten(2).unflatten(1, (layer.groups, -1)).transpose(0, 1).mT
    return Rows(columns.transpose(0, 1).mT, delta)


def flat_gradients(layer: Any, captured: Captured, delta: Tensor) -> Tensor:
    """The G_i [b, g * out * in (+ 1)], in the order of `layer_matrix`."""
    a, delta = rows_of(layer, captured, delta, ones=False)
    gradients = delta.mT @ a
    if layer.bias is not None:
        gradients = torch.cat([gradients, delta.sum(dim=2)[..., None]], dim=-1)
    return gradients.transpose(0, 1).flatten(1)


def parameter_gradients(layer: Any, captured: Captured, delta: Tensor) -> dict[str, Tensor]:
    """The same by the layer's parameters' names, each [b, length of the parameter]."""
    a, delta = rows_of(layer, captured, delta, ones=False)
    found = {"weight": delta.mT @ a}  # [g, b, out, in]
    if layer.bias is not None:
        found["bias"] = delta.sum(dim=2)
    return {key: gradients.transpose(0, 1).flatten(1) for key, gradients in found.items()}


def layer_matrix(layer: Any, tensors: Mapping[str, Tensor]) -> Tensor:
    """A direction of the layer, by its parameters' names, as [V_W | V_b]: [g, out, in (+ 1)]."""
    groups = getattr(layer, "groups", 1)
    matrix = tensors["weight"].flatten(1).unflatten(0, (groups, -1))
    if layer.bias is None:
        return matrix
    return torch.cat([matrix, tensors["bias"].unflatten(0, (groups, -1))[..., None]], dim=-1)


def layer_matrices(layer: Any, stacked: Mapping[str, Tensor]) -> Tensor:
    """The same of directions [k, ...], as [k, g, out, in (+ 1)]; without a bias a view."""
    if layer.bias is None:
        return stacked["weight"].flatten(2).unflatten(1, (getattr(layer, "groups", 1), -1))
    each = [{key: tensor[k] for key, tensor in stacked.items()} for k in range(len(stacked["weight"]))]
    return torch.stack([layer_matrix(layer, one) for one in each])


def layer_tensors(layer: Any, matrix: Tensor) -> dict[str, Tensor]:
    """The inverse of `layer_matrix`."""
    if layer.bias is None:
        return {"weight": matrix.flatten(0, 1).view_as(layer.weight)}
    return {"weight": matrix[..., :-1].flatten(0, 1).reshape(layer.weight.shape), "bias": matrix[..., -1].flatten()}


def n_positions(layer: Any, delta: Tensor) -> int:
    """t of a layer, from the gradient by its output [b, ...]."""
    return delta[0].numel() // len(layer.weight)


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
    size, found = max(examples_in_budget(layer, delta), len(matrices) // 2), []
    for inputs, by_output in zip(captured.input.split(size), delta.split(size), strict=True):
        gradients = flat_gradients(layer, captured._replace(input=inputs), by_output)
        found.append(matrices.flatten(1) @ gradients.T)
    return torch.cat(found, dim=1)


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
    one = float(layer.bias is not None)
    if a.shape[2] == 1:
        return ((a.square().sum(dim=(2, 3)) + one) * delta.square().sum(dim=(2, 3))).sum(dim=0)
    return ((a @ a.mT + one) * (delta @ delta.mT)).sum(dim=(0, 2, 3))


def has_short_gradients(layer: Any, delta: Tensor) -> bool:
    """Whether there are fewer numbers in a G_i than pairs of positions, of which there is more than one."""
    positions = n_positions(layer, delta)
    return positions > 1 and positions**2 > layer.weight.numel() // getattr(layer, "groups", 1)


def rotated_squares(rows: Rows, left: Tensor, right: Tensor) -> Iterator[Tensor]:
    """(left^T G_i right)^2 elementwise [g, b', out, in], for some examples at a time: in all, of every example.

    left [g, out, out] and right [g, in, in] are applied to the positions or to the sums, whichever costs less.
    """
    a, delta = rows
    positions, n_in, n_out = a.shape[2], a.shape[3], delta.shape[3]
    size = max(1, MEMORY_BUDGET // (a.element_size() * n_in * n_out))
    first = n_in * n_out * (n_in + n_out) > positions * (n_in**2 + n_out**2)
    for a_part, delta_part in zip(a.split(size, dim=1), delta.split(size, dim=1), strict=True):
        if first:
            gradient = (delta_part @ left[:, None]).mT @ (a_part @ right[:, None])
        else:
            gradient = left.mT[:, None] @ (delta_part.mT @ a_part) @ right[:, None]
        yield gradient.square()
