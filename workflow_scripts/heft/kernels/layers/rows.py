"""What a Linear or Conv2d layer's gradients are made of: rows that enter it, and gradients of its output.

The gradient of example i by the layer's matrix [W | b] is  G_i = sum_t delta_it [a_it; 1]^T  over positions t: one for
a plain Linear layer, the pixels of the output for a convolution, whose rows are unfolded patches.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from heft.kernels.functional import MEMORY_BUDGET
from heft.kernels.layers.capture import Captured
from heft.kernels.layers.parts import BiasAlone


class Rows(NamedTuple):
    """a [g, b, t, in (+ 1 where the layer has a bias)] and delta [g, b, t, out]; g: the groups of a convolution."""

    a: Tensor
    delta: Tensor


def is_matrix_layer(layer: nn.Module) -> bool:
    """Whether `rows_of` knows the layer: Linear, and Conv2d with zeros around the image; exact types only. A bias that
    moves alone is one, whatever its layer."""
    if isinstance(layer, BiasAlone):
        return True
    if type(layer) is nn.Conv2d:
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return type(layer) is nn.Linear


def rows_of(layer: Any, captured: Captured, delta: Tensor, *, ones: bool = True) -> Rows:
    """The rows of one batch, from what entered the layer and the gradient by its output.

    ones: whether a row ends with the 1 that a bias is multiplied by, for which all rows are copied.
    """
    if isinstance(layer, BiasAlone):
        delta = layer.positions_last(delta)[None]
        return Rows(delta.new_ones(*delta.shape[:3], int(ones)), delta)
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


def layer_matrix(layer: Any, tensors: Mapping[str, Tensor]) -> Tensor:
    """A direction of the layer, by its parameters' names, as [V_W | V_b]: [g, out, in (+ 1)]."""
    if isinstance(layer, BiasAlone):
        return tensors["bias"].reshape(1, -1, 1)
    groups = getattr(layer, "groups", 1)
    matrix = tensors["weight"].flatten(1).unflatten(0, (groups, -1))
    if layer.bias is None:
        return matrix
    return torch.cat([matrix, tensors["bias"].unflatten(0, (groups, -1))[..., None]], dim=-1)


def layer_matrices(layer: Any, stacked: Mapping[str, Tensor]) -> Tensor:
    """The same of directions [k, ...], as [k, g, out, in (+ 1)]; without a bias a view."""
    if layer.bias is None:
        return stacked["weight"].flatten(2).unflatten(1, (getattr(layer, "groups", 1), -1))
    n_directions = len(next(iter(stacked.values())))
    directions = [{key: tensor[k] for key, tensor in stacked.items()} for k in range(n_directions)]
    return torch.stack([layer_matrix(layer, direction) for direction in directions])


def layer_tensors(layer: Any, matrix: Tensor) -> dict[str, Tensor]:
    """The inverse of `layer_matrix`."""
    if isinstance(layer, BiasAlone):
        return {"bias": matrix.reshape(layer.bias.shape)}
    if layer.bias is None:
        return {"weight": matrix.flatten(0, 1).view_as(layer.weight)}
    return {"weight": matrix[..., :-1].flatten(0, 1).reshape(layer.weight.shape), "bias": matrix[..., -1].flatten()}


def n_positions(layer: Any, delta: Tensor) -> int:
    """t of a layer, from the gradient by its output [b, ...]."""
    return delta[0].numel() // len(layer.weight)


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
