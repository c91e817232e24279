"""Conjugate gradients and the largest eigenvalue of a positive semi-definite operator given by its products."""

from collections.abc import Callable

import torch
from torch import Tensor

from heft.errors import HeftError

Product = Callable[[Tensor], Tensor]  # vector [d] -> A vector [d]


def conjugate_gradient(product: Product, b: Tensor, *, tolerance: float, most_steps: int) -> Tensor:
    """x with |b - A x| <= tolerance * |b|, from x = 0; A symmetric positive definite.

    Raises HeftError where A has a direction without positive curvature, or where `most_steps` products are not enough:
    a half-solved system is no score.
    """
    x, residual = torch.zeros_like(b), b.clone()
    step, squared, goal = residual.clone(), residual.dot(residual), tolerance**2 * b.dot(b)
    for _ in range(most_steps):
        if squared <= goal:
            return x
        pushed = product(step)
        curvature = step.dot(pushed)
        if not curvature > 0:  # NaN too
            raise HeftError(
                f"Conjugate gradients met curvature {curvature / step.dot(step):.3g}, not above 0: raise the damping."
            )
        length = squared / curvature
        x += length * step
        residual -= length * pushed
        previous, squared = squared, residual.dot(residual)
        step = residual + (squared / previous) * step
    if squared <= goal:
        return x
    reached = float((squared / b.dot(b)).sqrt())
    raise HeftError(
        f"Conjugate gradients reached a relative residual of {reached:.2g} in {most_steps} steps, not {tolerance:g}: "
        "raise the damping or the tolerance."
    )


def largest_eigenvalue(product: Product, start: Tensor, *, tolerance: float = 0.01, most_steps: int = 100) -> float:
    """Largest eigenvalue of A, symmetric positive semi-definite, by power iteration from `start`.

    The estimate |A u| of a unit vector u rises step by step and is never above the truth; it stops where a step changes
    it by less than `tolerance` (relative). 0 where A start = 0. Raises HeftError after `most_steps`.
    """
    unit, estimate = start / start.norm(), 0.0
    for _ in range(most_steps):
        pushed = product(unit)
        previous, estimate = estimate, float(pushed.norm())
        if estimate - previous <= tolerance * estimate:
            return estimate
        unit = pushed / estimate
    raise HeftError(f"The largest eigenvalue did not settle in {most_steps} power iterations (now {estimate:.3g}).")
