"""Products with the curvature, solvers and eigenvalues against dense matrices in float64."""

import math
from typing import Any

import pytest
import torch
from attribution_cases import MODELS, N_TRAIN, Case, make_case
from kernel_cases import positive_definite, random_direction

from heft.errors import HeftError
from heft.kernels.curvature import curvature_operator
from heft.kernels.curvature.curvature_operator import (
    CURVATURES,
    SMALLEST_SAMPLE,
    STEPS_FROM_SAMPLE,
    STEPS_IN_SAMPLE,
    CurvatureOperator,
    flatten,
)
from heft.kernels.curvature.solve import conjugate_gradient, lanczos, leading_eigenpair


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


def test_conjugate_gradients_solve_to_the_tolerance() -> None:
    matrix, b = positive_definite(30), torch.arange(30.0, dtype=torch.float64)
    x = conjugate_gradient(lambda v: matrix @ v, b, tolerance=1e-10, most_steps=200)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b), rtol=1e-7, atol=1e-7)


def test_a_direction_of_negative_curvature_is_an_error() -> None:
    with pytest.raises(HeftError, match="not above 0"):
        conjugate_gradient(lambda v: -v, torch.ones(3), tolerance=0.1, most_steps=10)


def test_too_few_steps_are_an_error_with_the_residual() -> None:
    matrix = positive_definite(30)
    with pytest.raises(HeftError, match="in 2 steps"):
        conjugate_gradient(lambda v: matrix @ v, torch.ones(30, dtype=torch.float64), tolerance=1e-12, most_steps=2)


def test_lanczos_finds_the_leading_eigenpair() -> None:
    matrix = positive_definite(30)
    values, vectors = torch.linalg.eigh(matrix)
    for sign in (1, -1):
        pair = leading_eigenpair(lambda v, sign=sign: sign * matrix @ v, torch.ones(30, dtype=torch.float64), steps=20)
        assert pair.value == pytest.approx(float(values[-1]), rel=1e-6)
        assert float(pair.vector.dot(vectors[:, -1]).abs()) == pytest.approx(1, abs=1e-3)


def test_a_start_of_zeros_gives_way_to_a_drawn_one() -> None:
    matrix = positive_definite(30)
    pair = leading_eigenpair(lambda v: matrix @ v, torch.zeros(30, dtype=torch.float64))
    assert pair.value == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=0.02)
    assert leading_eigenpair(lambda v: 0 * v, torch.zeros(30)).value == 0


def test_many_examples_begin_at_the_leading_eigenvector_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    case, times = make_case("mlp"), math.ceil(4 * SMALLEST_SAMPLE / N_TRAIN)
    noise = torch.randn(times * N_TRAIN, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs, labels = case.train.inputs.repeat(times, 1, 1, 1) + 0.3 * noise, case.train.labels.repeat(times)
    like = random_direction(case, 1)
    operator, start = CurvatureOperator("gauss_newton", case.model, case.state, inputs, labels, like), flatten(like)
    truth = lanczos(operator, start, steps=60)
    product, sizes = curvature_operator.gauss_newton_product, []

    def counted(*given: Any) -> dict[str, torch.Tensor]:
        sizes.append(len(given[3]))
        return product(*given)

    monkeypatch.setattr(curvature_operator, "gauss_newton_product", counted)
    pair = operator.leading_eigenpair(start)
    assert pair.value == pytest.approx(float(truth.values[0]), rel=0.01)
    assert sizes == [SMALLEST_SAMPLE] * STEPS_IN_SAMPLE + [len(inputs)] * STEPS_FROM_SAMPLE


def test_the_matrix_of_some_examples_is_that_of_a_smaller_training_set(case: Case) -> None:
    like, rows = random_direction(case, 1), torch.tensor([3, 1, 20])
    for kind in CURVATURES:
        whole = CurvatureOperator(kind, case.model, case.state, *case.train, like)
        smaller = CurvatureOperator(kind, case.model, case.state, *(part[rows] for part in case.train), like)
        product = whole.of_examples(rows)(flatten(like))
        torch.testing.assert_close(product, smaller(flatten(like)), rtol=0, atol=1e-10)
        assert not torch.allclose(product, whole(flatten(like)))
