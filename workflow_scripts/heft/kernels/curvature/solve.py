"""Solvers and eigenvalues of a symmetric operator given by its products: CG, LiSSA, Lanczos."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from heft.errors import HeftError

LANCZOS_STEPS = 12  # after which the largest eigenvalue has been within 2 % from any start that was tried
Operator = Callable[[Tensor], Tensor]  # vector [d] -> A vector [d]


class NegativeCurvatureError(HeftError):
    """The matrix is not positive definite, so the system has no solution that means anything."""


def conjugate_gradient(product: Operator, b: Tensor, *, tolerance: float, most_steps: int) -> Tensor:
    """x with |b - A x| <= tolerance * |b|, from x = 0; A symmetric positive definite.

    Raises NegativeCurvatureError where A has a direction without positive curvature, and HeftError where `most_steps`
    products are not enough: a half-solved system is no score.
    """
    x, residual = torch.zeros_like(b), b.clone()
    step, squared, goal = residual.clone(), residual.dot(residual), tolerance**2 * b.dot(b)
    for _ in range(most_steps):
        if squared <= goal:
            return x
        applied = product(step)
        curvature = step.dot(applied)
        if not curvature > 0:  # NaN too
            met = float(curvature / step.dot(step))
            raise NegativeCurvatureError(f"Conjugate gradients met curvature {met:.3g}, not above 0.")
        length = squared / curvature
        x += length * step
        residual -= length * applied
        previous, squared = squared, residual.dot(residual)
        step = residual + (squared / previous) * step
    if squared <= goal:
        return x
    reached = float((squared / b.dot(b)).sqrt())
    raise HeftError(
        f"Conjugate gradients reached a relative residual of {reached:.2g} in {most_steps} steps, not {tolerance:g}: "
        "raise the damping or the tolerance."
    )


class Eigenpair(NamedTuple):
    """The absolute value of an eigenvalue, and its unit eigenvector [d]."""

    value: float
    vector: Tensor


class Eigenpairs(NamedTuple):
    """Eigenvalues [k], by size, the largest absolute one first; unit eigenvectors [k, d] in rows; residuals
    |A u - lambda u| [k]."""

    values: Tensor
    vectors: Tensor
    residuals: Tensor


def lanczos(product: Operator, start: Tensor, *, steps: int) -> Eigenpairs:
    """Eigenpairs of a symmetric A on the Krylov space of `start`: at most `steps`, fewer where the space ends.

    For a symmetric matrix Arnoldi's iteration is this one. Each new vector is made orthogonal to all former ones,
    twice, so that no eigenvalue is found again.
    """
    most = min(steps, len(start))
    basis = start.new_empty(most + 1, len(start))
    basis[0] = start / start.norm()
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    for step in range(most):
        applied = product(basis[step])
        length = applied.norm()
        diagonal.append(basis[step].dot(applied))
        known = basis[: step + 1]
        for _ in range(2):
            applied = applied - known.T @ (known @ applied)
        beside.append(applied.norm())
        if beside[-1] <= 100 * torch.finfo(start.dtype).eps * length:
            beside[-1] = torch.zeros_like(beside[-1])
            break
        basis[step + 1] = applied / beside[-1]
    size = len(diagonal)
    # A matrix of so few numbers is taken apart on the CPU, whatever the device.
    middle, inner = torch.stack(diagonal).cpu().double(), torch.stack(beside).cpu().double()[: size - 1]
    small = torch.diag(middle) + torch.diag(inner, 1) + torch.diag(inner, -1)
    values, vectors = torch.linalg.eigh(small)
    order = values.abs().argsort(descending=True)
    residuals = (beside[-1].cpu().double() * vectors[-1]).abs()
    parts = (values[order], vectors[:, order].T.to(start) @ basis[:size], residuals[order])
    return Eigenpairs(*(part.to(start) for part in parts))


def leading_eigenpair(product: Operator, start: Tensor, *, steps: int = LANCZOS_STEPS) -> Eigenpair:
    """The eigenvalue of a symmetric A that is largest in absolute value, by `steps` products of Lanczos's iteration.

    The last product is with the unit vector u that the others found, and the value is |A u|, which is never above the
    truth. Where `start` is 0 a drawn vector takes its place; 0 where A is 0 on it.
    """
    if not start.any():
        start = torch.randn(len(start), generator=torch.Generator().manual_seed(0)).to(start)
    unit = start / start.norm() if steps == 1 else lanczos(product, start, steps=steps - 1).vectors[0]
    return Eigenpair(float(product(unit).norm()), unit)


class Neumann(NamedTuple):
    """d close to A^-1 b, the relative residual |b - A d| / |b|, and the number of products with a batch."""

    solution: Tensor
    residual: float
    steps: int


def neumann_series(
    products: Sequence[Operator], whole: Operator, b: Tensor, *, scale: float, tolerance: float, most_steps: int
) -> Neumann:
    """LiSSA: r <- b + r - A_B r / scale from r = b over batches B in turns, d = r / scale.

    products: of each batch's matrix; whole: their mean. After each turn over all batches the mean of its iterates,
    which the batches' noise moves less, is tried: it ends where that has a relative residual of at most `tolerance`,
    where turns no longer lower it, or after `most_steps` steps. Raises HeftError where the series diverges: scale is
    below half the largest eigenvalue of a batch.
    """
    r, steps, best = b.clone(), 0, Neumann(torch.zeros_like(b), 1.0, 0)
    worse = 0
    while steps < most_steps and worse < 3:
        mean = torch.zeros_like(b)
        for product in products:
            r = b + r - product(r) / scale
            mean += r / (scale * len(products))
            steps += 1
        residual = float((b - whole(mean)).norm() / b.norm())
        worse = worse + 1 if residual > 0.95 * best.residual else 0
        if not residual < 1e3 or (worse == 3 and residual > 2 * best.residual):  # NaN too
            raise HeftError(
                f"LiSSA diverged: after {steps} steps the relative residual is {residual:.2g}; raise the scale."
            )
        if residual < best.residual:
            best = Neumann(mean, residual, steps)
        if residual <= tolerance:
            break
    if not best.residual < 1:
        raise HeftError(f"LiSSA did not come nearer to a solution in {steps} steps: raise the scale or the damping.")
    return best._replace(steps=steps)
