"""Curvature on every module of the battery: products and scores against dense matrices by plain backward passes."""

import battery
import pytest
import torch
from dense_reference import close, reference, rounding, scores

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten

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


LARGE = 150  # parameters, above which products alone are compared


def refused(name: str, kind: str) -> bool:
    """Whether the method says in one sentence that torch has no such matrix there."""
    if name in REFUSED:
        with pytest.raises(HeftError, match=REFUSED[name][kind]):
            scores("if_exact", name, {"curvature": kind})
    return name in REFUSED


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_products_are_those_of_the_dense_matrix_and_symmetric(name: str, kind: str) -> None:
    if refused(name, kind):
        return
    it, context = reference(name), reference(name).context(name)
    v = context.objective_gradient(context.final)
    assert list(v) == it.names
    operator = CurvatureOperator(kind, context.network, context.final, *context.train, like=v)
    generator = torch.Generator().manual_seed(0)
    u, w = torch.randn(2, len(it.v), generator=generator, dtype=torch.float64)
    product = operator(u.to(flatten(v).dtype)).double()
    expected = it.gauss_newton @ u if kind == "gauss_newton" else it.hessian_times(u)
    close(product, expected, rounding(name))
    other = operator(w.to(flatten(v).dtype)).double()
    assert float((w @ product - u @ other).abs()) <= 1e-8 * float(expected.norm() * w.norm())


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_exact_influence_is_the_dense_solve(name: str, kind: str) -> None:
    it = reference(name)
    if name in REFUSED or len(it.v) > LARGE:
        return
    matrix = it.gauss_newton if kind == "gauss_newton" else it.hessian
    largest = float(torch.linalg.eigvalsh(matrix).abs().max())
    damped = matrix + (0.01 + 0.5 * largest) * torch.eye(len(matrix), dtype=torch.float64)
    expected = it.gradients @ torch.linalg.solve(damped, it.v)
    actual = scores("if_exact", name, {"damping": 0.5, "curvature": kind}, weight_decay=0.01)
    close(actual, expected, 10 * rounding(name))


@pytest.mark.parametrize("name", MODULES)
def test_iterative_influence_comes_to_the_dense_solve_at_its_tolerance(name: str) -> None:
    it = reference(name)
    if name in REFUSED or len(it.v) > LARGE:
        return
    largest = float(torch.linalg.eigvalsh(it.gauss_newton)[-1])
    damped = it.gauss_newton + 0.3 * largest * torch.eye(len(it.v), dtype=torch.float64)
    expected, decay = it.gradients @ torch.linalg.solve(damped, it.v), 0.3 * largest
    close(scores("if_cg", name, {"damping": 1e-9, "tolerance": 1e-8}, weight_decay=decay), expected, 1e-5)
    close(scores("if_lissa", name, {"damping": 1e-9, "tolerance": 1e-3}, weight_decay=decay), expected, 0.02)
    values, vectors = torch.linalg.eigh(it.gauss_newton)
    chosen = vectors[:, -2:]
    expected = (it.gradients @ chosen) @ ((chosen.T @ it.v) / values[-2:])
    close(scores("if_arnoldi", name, {"rank": 2, "iterations": 30, "curvature": "gauss_newton"}), expected, 1e-6)
