"""Which product with the Hessian is right on a model: its ways are compared on two examples."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from heft.devices import in_float64
from heft.errors import HeftError
from heft.kernels.curvature.products import (
    hessian_product,
    hessian_product_by_double_backward,
    hessian_product_forward_over_reverse,
)
from heft.kernels.functional import Direction, State, values_of
from heft.kernels.ways import Way, drawn, way_of

HessianProduct = Callable[[nn.Module, State, Direction, Tensor, Tensor, int], dict[str, Tensor]]


def right_hessian_product(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction
) -> HessianProduct:
    """The fastest product that agrees with the double backward pass along a random direction, and is symmetric.

    Where torch has no double backward pass, both orders of forward and reverse mode must agree, or the only one that
    runs be symmetric. Where forward mode does not have the gradients of training, it is the double backward pass.
    Raises HeftError where none of them can be trusted.
    """
    trial, by_backward = _Trial(model, state, inputs[:2], labels[:2], like), hessian_product_by_double_backward
    truth = trial.product(by_backward, 0)
    chosen: HessianProduct | None = None
    if way_of(model, values_of(model, state), inputs) is not Way.FORWARD:
        if truth is not None and trial.is_symmetric(by_backward, truth):
            chosen = by_backward
    else:
        chosen = _of_forward_mode(trial, truth)
    if chosen is None:
        name = type(model).__name__
        raise HeftError(f"{name} has no Hessian that can be trusted ({trial.reason}); set curvature to gauss_newton.")
    return chosen


def _of_forward_mode(trial: "_Trial", truth: Tensor | None) -> HessianProduct | None:
    reverse_last, forward_last = hessian_product, hessian_product_forward_over_reverse
    first = trial.product(reverse_last, 0)
    if first is not None and truth is not None and trial.near(first, truth) and trial.is_symmetric(reverse_last, first):
        return reverse_last
    second = trial.product(forward_last, 0)  # last: torch takes seconds to load it
    if second is not None and truth is not None and trial.near(second, truth):
        return forward_last
    if truth is None and first is not None and second is not None and trial.near(first, second):
        return reverse_last
    products = ((hessian_product_by_double_backward, truth), (forward_last, second), (reverse_last, first))
    for way, product in products:
        if product is not None and trial.is_symmetric(way, product):
            return way
    return None


class _Trial:
    """Products on two examples with directions that are drawn; `reason`: of the last failure."""

    def __init__(self, model: nn.Module, state: State, inputs: Tensor, labels: Tensor, like: Direction) -> None:
        self._model, self._state, self._inputs, self._labels, self._like = model, state, inputs, labels, like
        types = {tensor.dtype for tensor in like.values()}
        self._tolerance = 8 * max(torch.finfo(dtype).eps for dtype in types) ** 0.5
        self.reason = "it is not symmetric"

    def _direction(self, seed: int) -> dict[str, Tensor]:
        return {
            name: drawn(1000 * seed + number, tensor.shape, tensor)
            for number, (name, tensor) in enumerate(self._like.items())
        }

    def product(self, way: HessianProduct, seed: int) -> Tensor | None:
        """H u as a vector in float64 for the direction of that seed; None where it cannot be made."""
        try:
            product = way(
                self._model, self._state, self._direction(seed), self._inputs, self._labels, len(self._inputs)
            )
        except (RuntimeError, NotImplementedError, HeftError) as error:
            self.reason = str(error).strip().splitlines()[0]
            return None
        return torch.cat([in_float64(tensor).flatten() for tensor in product.values()])

    def near(self, left: Tensor, right: Tensor) -> bool:
        """Whether two products are the same but for rounding."""
        return bool((left - right).norm() <= self._tolerance * right.norm())

    def is_symmetric(self, way: HessianProduct, product: Tensor) -> bool:
        """Whether <u, H w> is <w, H u>, for product = H u."""
        other = self.product(way, 1)
        if other is None:
            return False
        u, w = (torch.cat([in_float64(t).flatten() for t in self._direction(seed).values()]) for seed in (0, 1))
        return bool((u.dot(other) - w.dot(product)).abs() <= self._tolerance * product.norm() * w.norm())
