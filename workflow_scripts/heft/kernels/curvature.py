"""Products with the Gauss-Newton matrix of the mean cross-entropy.

G = (1/n) sum_i J_i^T (diag p_i - p_i p_i^T) J_i,   J_i = dlogits_i / dtheta, p_i = softmax(logits_i)

G is positive semi-definite at any parameters, unlike the Hessian, and needs no labels: a push to the logits, one small
product there, a pull back.
"""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from heft.kernels.directional import logits_and_tangents
from heft.kernels.functional import Direction, State, batch_size_for
from heft.kernels.reverse import vector_jacobian


def gauss_newton_product(
    model: nn.Module, state: State, direction: Direction, inputs: Tensor, batch_size: int | None = None
) -> dict[str, Tensor]:
    """G u for u = direction, one tensor a parameter."""
    batches = inputs.split(batch_size or batch_size_for(model, state, inputs))
    pulled = vector_jacobian(model, state, _pairs(model, state, direction, batches))
    return {name: tensor / len(inputs) for name, tensor in pulled.items()}


def _pairs(
    model: nn.Module, state: State, direction: Direction, batches: tuple[Tensor, ...]
) -> Iterator[tuple[Tensor, Tensor]]:
    for batch, (logits, tangents) in zip(batches, logits_and_tangents(model, state, [direction], batches), strict=True):
        p, tangent = logits.softmax(dim=-1), tangents[0]
        yield batch, p * (tangent - (p * tangent).sum(dim=-1, keepdim=True))


def flatten(direction: Direction) -> Tensor:
    """All entries as one vector [n_parameters], in the order of the direction."""
    return torch.cat([tensor.reshape(-1) for tensor in direction.values()])


def unflatten(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `flatten`, with the names and shapes of `like`."""
    parts = vector.split([tensor.numel() for tensor in like.values()])
    return {name: part.view_as(tensor) for (name, tensor), part in zip(like.items(), parts, strict=True)}


def gauss_newton_operator(
    model: nn.Module, state: State, inputs: Tensor, like: Direction
) -> Callable[[Tensor], Tensor]:
    """vector -> G vector on flat vectors [n_parameters], ordered as `like`."""
    size = batch_size_for(model, state, inputs)

    def product(vector: Tensor) -> Tensor:
        pulled = gauss_newton_product(model, state, unflatten(vector, like), inputs, size)
        return flatten({name: pulled[name] for name in like})

    return product
