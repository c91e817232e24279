"""Curvature on every module of the battery: products and scores against dense matrices by plain backward passes."""

import battery
import pytest
import torch
from dense_reference import Reference, close, reference, rounding, scores
from torch import Tensor

from heft.errors import HeftError
from heft.kernels.curvature import CurvatureOperator, flatten

MODULES = [name for name in battery.WORKING if name != "bfloat16"]
# Module: a part of the sentence that refuses its Gauss-Newton matrix, its Hessian; torch has none there.
REFUSED = {
    "embedding_bag_max": {"gauss_newton": "embedding_bag", "hessian": "embedding_bag"},
}
# torch differentiates the gradient of these once only, so that there is no independent dense matrix.
WITHOUT_DENSE_HESSIAN = {"embedding_bag_sum", "embedding_bag_mean", "embedding_bag_max"}
CURVATURES = ("gauss_newton", "hessian")
CASES = [
    (name, kind) for name in MODULES for kind in CURVATURES if not (kind == "hessian" and name in WITHOUT_DENSE_HESSIAN)
]


def dense(it: Reference, kind: str) -> Tensor:
    return it.gauss_newton if kind == "gauss_newton" else it.hessian


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_products_and_exact_influence_are_those_of_the_dense_matrix(name: str, kind: str) -> None:
    it = reference(name)
    if name in REFUSED:
        with pytest.raises(HeftError, match=REFUSED[name][kind]):
            scores("if_exact", name, {"curvature": kind})
        return
    matrix, context = dense(it, kind), it.context(name)
    v = context.objective_gradient(context.final)
    assert list(v) == it.names
    operator = CurvatureOperator(kind, context.network, context.final, *context.train, like=v)
    generator = torch.Generator().manual_seed(0)
    u, w = torch.randn(2, len(matrix), generator=generator, dtype=torch.float64).to(flatten(v).dtype)
    product = operator(u).double()
    scale = float(matrix.norm() * u.norm())
    assert float((product - matrix @ u.double()).abs().max()) <= 1e-8 * scale
    assert float((w.double() @ product - u.double() @ operator(w).double()).abs()) <= 1e-8 * scale * float(w.norm())

    largest = float(torch.linalg.eigvalsh(matrix).abs().max())
    damped = matrix + (0.01 + 0.5 * largest) * torch.eye(len(matrix), dtype=torch.float64)
    expected = it.gradients @ torch.linalg.solve(damped, it.v)
    found = scores("if_exact", name, {"damping": 0.5, "curvature": kind}, weight_decay=0.01)
    close(found, expected, 10 * rounding(name))


@pytest.mark.parametrize("name", MODULES)
def test_iterative_influence_comes_to_the_dense_solve_at_its_tolerance(name: str) -> None:
    it = reference(name)
    if name in REFUSED:
        return
    largest = float(torch.linalg.eigvalsh(it.gauss_newton)[-1])
    damped = it.gauss_newton + 0.2 * largest * torch.eye(len(it.v), dtype=torch.float64)
    expected, options = it.gradients @ torch.linalg.solve(damped, it.v), {"damping": 1e-9}
    close(scores("if_cg", name, {**options, "tolerance": 1e-10}, weight_decay=0.2 * largest), expected, 1e-6)
    close(scores("if_lissa", name, {**options, "tolerance": 1e-6}, weight_decay=0.2 * largest), expected, 1e-3)


@pytest.mark.parametrize("name", MODULES)
def test_influence_by_eigenvectors_is_that_of_the_largest(name: str) -> None:
    it = reference(name)
    if name in REFUSED:
        return
    values, vectors = torch.linalg.eigh(it.gauss_newton)
    chosen = vectors[:, -2:]
    expected = (it.gradients @ chosen) @ ((chosen.T @ it.v) / values[-2:])
    options = {"rank": 2, "iterations": 40, "curvature": "gauss_newton"}
    close(scores("if_arnoldi", name, options), expected, 1e-6)
