"""Curvature on every module of the battery: products and scores against dense matrices by plain backward passes."""

from collections.abc import Sequence

import battery
import pytest
import torch
from dense_reference import close, reference, rounding, scores

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten

# Of the last, torch has neither matrix.
MODULES = [name for name in battery.WORKING if name not in ("bfloat16", "embedding_bag_max")]
# torch differentiates the gradient of these once only, so that there is no independent dense matrix.
WITHOUT_DENSE_HESSIAN = {"embedding_bag_sum", "embedding_bag_mean"}
CURVATURES = ("gauss_newton", "hessian")
# Of few parameters, so that a method soon fills its matrix column by column; products are compared on all.
SMALL = (
    *("logistic", "linear", "linear_of_tokens", "positions", "embedding", "embedding_with_padding"),
    *("embedding_bag_sum", "embedding_bag_mean", "low_rank", "conv2d", "conv2d_valid", "conv2d_strided"),
    *("conv2d_weight_norm", "conv1d", "conv1d_groups", "max_pool", "average_pool", "batch_norm_of_series"),
    *("instance_norm_1d", "dropout_2d", "buffers", "attention", "attention_with_dropout", "attention_without_bias"),
    *("attention_by_function", "rnn", "frozen_layer", "unused", "no_grad", "detached", "raw_parameters", "where"),
)


def with_dense_matrices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each module with each kind of matrix that can be made of it independently."""
    return [(name, "gauss_newton") for name in names] + [
        (name, "hessian") for name in names if name not in WITHOUT_DENSE_HESSIAN
    ]


@pytest.mark.parametrize("kind", CURVATURES)
def test_a_matrix_that_torch_does_not_have_is_refused_in_a_sentence(kind: str) -> None:
    with pytest.raises(HeftError, match="embedding_bag"):
        scores("if_exact", "embedding_bag_max", {"curvature": kind})


@pytest.mark.parametrize(("name", "kind"), with_dense_matrices(MODULES))
def test_products_are_those_of_the_dense_matrix_and_symmetric(name: str, kind: str) -> None:
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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), with_dense_matrices(SMALL))
def test_exact_influence_is_the_dense_solve(name: str, kind: str) -> None:
    it = reference(name)
    matrix = it.gauss_newton if kind == "gauss_newton" else it.hessian
    largest = float(torch.linalg.eigvalsh(matrix).abs().max())
    damped = matrix + (0.01 + 0.5 * largest) * torch.eye(len(matrix), dtype=torch.float64)
    expected = it.gradients @ torch.linalg.solve(damped, it.v)
    actual = scores("if_exact", name, {"damping": 0.5, "curvature": kind}, weight_decay=0.01)
    close(actual, expected, 10 * rounding(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_iterative_influence_comes_to_the_dense_solve_at_its_tolerance(name: str) -> None:
    it = reference(name)
    largest = float(torch.linalg.eigvalsh(it.gauss_newton)[-1])
    damped = it.gauss_newton + 0.3 * largest * torch.eye(len(it.v), dtype=torch.float64)
    expected, decay = it.gradients @ torch.linalg.solve(damped, it.v), 0.3 * largest
    close(scores("if_cg", name, {"damping": 1e-9, "tolerance": 1e-8}, weight_decay=decay), expected, 1e-5)
    close(scores("if_lissa", name, {"damping": 1e-9, "tolerance": 1e-3}, weight_decay=decay), expected, 0.02)
    values, vectors = torch.linalg.eigh(it.gauss_newton)
    chosen = vectors[:, -2:]
    expected = (it.gradients @ chosen) @ ((chosen.T @ it.v) / values[-2:])
    close(scores("if_arnoldi", name, {"rank": 2, "iterations": 30, "curvature": "gauss_newton"}), expected, 1e-6)
