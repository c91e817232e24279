"""Curvature methods against dense matrices and explicit sums in float64, and all estimates against leaving one out."""

from typing import Any

import pytest
import torch
from attribution_cases import N_TRAIN
from influence_cases import case_of, close, dense_hessian, gradient_rows, scores, validation_vector
from kernel_cases import dense_gauss_newton

from heft.errors import HeftError
from heft.kernels.curvature import curvature_operator as curvature
from heft.kernels.curvature import solve
from heft.kernels.curvature.curvature_operator import unflatten
from heft.methods import if_lissa

MODELS = ["logistic", "no_bias", "mlp", "cnn"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("curvature", ["hessian", "gauss_newton"])
def test_if_exact_is_the_dense_solve(model: str, curvature: str) -> None:
    case = case_of(model)
    matrix = dense_hessian(case) if curvature == "hessian" else dense_gauss_newton(case)
    shift = 0.03 + 0.5 * torch.linalg.eigvalsh(matrix).abs().max()
    damped = matrix + shift * torch.eye(len(matrix), dtype=torch.float64)
    expected = gradient_rows(case) @ torch.linalg.solve(damped, validation_vector(case))
    close(scores("if_exact", case.context(weight_decay=0.03), damping=0.5, curvature=curvature), expected)


def test_if_exact_warns_of_negative_eigenvalues_with_the_damping_that_mends_it() -> None:
    case, context = case_of("mlp"), case_of("mlp").context()
    scores("if_exact", context, damping=1e-6)
    values = torch.linalg.eigvalsh(dense_hessian(case))
    assert values[0] < 0
    (said,) = context.warnings
    assert said.startswith(f"{int((values + 1e-6 * values[-1] < 0).sum())} of {len(values)} eigenvalues")
    needed = float(said.partition("damping above ")[2].split()[0])
    assert needed == pytest.approx(float(-values[0] / values[-1]), rel=0.05)
    enough = case.context()
    scores("if_exact", enough, damping=1.1 * needed)
    assert enough.warnings == []


def test_if_exact_refuses_a_model_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    from heft.methods import if_exact

    monkeypatch.setattr(if_exact, "MOST_PARAMETERS", 100)
    with pytest.raises(HeftError, match="set parameters to last"):
        scores("if_exact", case_of("mlp").context())
    scores("if_exact", case_of("mlp").context(), parameters="last")


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_if_cg_and_if_lissa_come_to_the_exact_solve(model: str) -> None:
    case = case_of(model)
    expected = scores("if_exact", case.context(), damping=0.1, curvature="gauss_newton")
    # The largest eigenvalue, and with it the damping, is known to two percent.
    by_cg = scores("if_cg", case.context(), damping=0.1, tolerance=1e-10)
    close(by_cg, expected, 0.05)
    # The same eigenvalue is used by both, so they agree to the tolerance.
    by_lissa = scores("if_lissa", case.context(), batch_size=N_TRAIN, tolerance=1e-8, depth=5000)
    close(by_lissa, by_cg, 1e-6)


def test_if_cg_is_the_exact_solve_to_a_millionth_where_the_shift_is_known() -> None:
    case = case_of("mlp")
    matrix = dense_gauss_newton(case)
    damped = matrix + (10.0 + 1e-9 * torch.linalg.eigvalsh(matrix)[-1]) * torch.eye(len(matrix), dtype=torch.float64)
    expected = gradient_rows(case) @ torch.linalg.solve(damped, validation_vector(case))
    close(scores("if_cg", case.context(weight_decay=10.0), damping=1e-9, tolerance=1e-12), expected, 1e-6)


def test_if_cg_on_an_indefinite_hessian_names_the_damping_that_would_do() -> None:
    case = case_of("mlp")
    with pytest.raises(HeftError, match="damping must be above") as caught:
        scores("if_cg", case.context(), damping=1e-4, curvature="hessian", tolerance=1e-8)
    needed = float(str(caught.value).partition("damping must be above ")[2].split()[0])
    scores("if_cg", case.context(), damping=1.2 * needed, curvature="hessian", tolerance=1e-8)


def test_if_lissa_on_batches_is_near_the_exact_solve_and_says_how_near() -> None:
    case, context = case_of("mlp"), case_of("mlp").context()
    exact = scores("if_lissa", case.context(), batch_size=N_TRAIN, tolerance=1e-6)
    batched = scores("if_lissa", context, batch_size=10, tolerance=1e-3)
    assert torch.corrcoef(torch.stack([batched, exact]))[0, 1] > 0.9
    assert "relative residual" in context.warnings[0]


def test_the_scale_of_if_lissa_follows_the_steepest_batch_at_no_product_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, sizes, searches = case_of("mlp"), [], []
    product, search = curvature.gauss_newton_product, solve.leading_eigenpair

    def counted(*given: Any) -> dict[str, torch.Tensor]:
        sizes.append(len(given[3]))
        return product(*given)

    def recorded(operator: solve.Operator, *given: Any, **options: Any) -> solve.Eigenpair:
        pair = search(operator, *given, **options)
        searches.append((operator, pair.vector, sizes.count(N_TRAIN)))
        return pair

    monkeypatch.setattr(curvature, "gauss_newton_product", counted)
    monkeypatch.setattr(if_lissa, "leading_eigenpair", recorded)
    scores("if_lissa", case.context(), batch_size=10)
    (mean, u, _), (steepest, _, n_whole) = searches
    assert n_whole == 0
    gauss_newton = dense_gauss_newton(case)
    torch.testing.assert_close(mean(u), gauss_newton @ u, rtol=0, atol=1e-10)

    order = torch.randperm(N_TRAIN, generator=case.context().generator("if_lissa"))
    v = unflatten(u, case.objective_gradient())
    whole = curvature.CurvatureOperator("gauss_newton", case.model, case.state, *case.train, like=v)
    batches = [whole.of_examples(rows)(u) for rows in order.tensor_split(round(N_TRAIN / 10))]
    assert len(batches) > 2
    longest = max(batches, key=lambda pushed: float(pushed.norm()))
    torch.testing.assert_close(steepest(u), longest, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.05, 0.3])
def test_if_lissa_says_that_the_scale_is_too_small(scale: float) -> None:
    with pytest.raises(HeftError, match="raise the scale"):
        scores("if_lissa", case_of("mlp").context(), scale=scale, batch_size=N_TRAIN)
