"""Approximate inverses of the curvature against their explicit sums in float64."""

import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case
from influence_cases import case_of, close, dense_hessian, gradient_rows, scores, validation_vector
from torch.func import functional_call

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.curvature.kronecker import drawn_labels, eigenvalue_corrected, kronecker_curvature
from heft.kernels.layers.rows import layer_matrix


def test_if_arnoldi_with_all_eigenpairs_is_the_pseudo_inverse() -> None:
    case = case_of("logistic")
    matrix = dense_hessian(case)
    rank = int(torch.linalg.matrix_rank(matrix, rtol=1e-6))
    inverse = torch.linalg.pinv(matrix, rtol=1e-6, hermitian=True)
    expected = gradient_rows(case) @ inverse @ validation_vector(case)
    close(scores("if_arnoldi", case.context(), rank=rank, iterations=len(matrix)), expected, 1e-5)


def test_if_arnoldi_keeps_the_sign_of_eigenvalues_and_warns_of_it() -> None:
    case, context = case_of("mlp"), case_of("mlp").context()
    values, vectors = torch.linalg.eigh(dense_hessian(case))
    order = values.abs().argsort(descending=True)[:60]
    kept, rows = values[order], vectors[:, order].T
    assert (kept < 0).any()
    expected = gradient_rows(case) @ (rows.T @ ((rows @ validation_vector(case)) / kept))
    close(scores("if_arnoldi", context, rank=60, iterations=len(values)), expected, 1e-4)
    assert any("eigenvalues are negative" in said for said in context.warnings)


def test_if_arnoldi_warns_of_what_lies_outside_and_of_pairs_that_have_not_settled() -> None:
    unsettled = case_of("mlp").context()
    scores("if_arnoldi", unsettled, rank=4, iterations=4)
    assert any("have not converged" in said for said in unsettled.warnings)
    outside = case_of("cnn").context()
    scores("if_arnoldi", outside, rank=1, iterations=30)
    assert any("% of the squared length" in said for said in outside.warnings)


@pytest.mark.parametrize(("rank", "iterations"), [(2, 4), (4, 6), (8, 8)])
def test_if_arnoldi_counts_the_pairs_that_have_not_settled(rank: int, iterations: int) -> None:
    case, context = case_of("logistic"), case_of("logistic").context()
    matrix, basis = dense_hessian(case), [validation_vector(case)]
    for _ in range(iterations - 1):
        spanned, _ = torch.linalg.qr(torch.stack(basis, dim=1))
        basis.append(matrix @ spanned[:, -1])
    spanned, _ = torch.linalg.qr(torch.stack(basis, dim=1))
    values, inside = torch.linalg.eigh(spanned.T @ matrix @ spanned)
    vectors = (spanned @ inside)[:, order := values.abs().argsort(descending=True)[:rank]]
    residuals = (matrix @ vectors - vectors * values[order]).norm(dim=0)
    expected = int((residuals > 0.1 * values[order].abs()).sum())
    scores("if_arnoldi", context, rank=rank, iterations=iterations, start="gradient")
    said = [warning for warning in context.warnings if "have not converged" in warning]
    assert [warning.partition(" eigenpairs")[0] for warning in said] == [f"{expected} of {rank}"] * (expected > 0)


def factors(case: Case) -> tuple[dict, dict, torch.Tensor]:
    labels = drawn_labels(case.model, case.state, case.train.inputs, case.context().generator("fisher"))
    layers = {name: layer for name, layer in case.model.named_modules() if hasattr(layer, "weight")}
    kfac = kronecker_curvature(case.model, case.state, layers, case.train.inputs, labels)
    return kfac, eigenvalue_corrected(case.model, case.state, kfac, case.train.inputs, labels), labels


def layer_gradients(case: Case, labels: torch.Tensor, name: str) -> torch.Tensor:
    """G_i [n, out, in (+ 1)] of a layer, from per-example gradients."""
    relabelled = Case(case.model, case.state, Batch(case.train.inputs, labels), case.validation, labels, case.history)
    layer = dict(case.model.named_modules())[name]
    gradients = {key: relabelled.gradients()[f"{name}.{key}"] for key, _ in layer.named_parameters()}
    each = [layer_matrix(layer, {key: part[i] for key, part in gradients.items()})[0] for i in range(N_TRAIN)]
    return torch.stack(each)


@pytest.mark.parametrize("model", ["logistic", "no_bias", "mlp", "cnn"])
def test_ekfac_is_its_definition(model: str) -> None:
    """Eigenvectors of the factors; eigenvalues are the second moments of gradients along them, in the drawn labels."""
    case = case_of(model)
    kfac, corrected, labels = factors(case)
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    v = case.objective_gradient()
    for name, curvature in corrected.items():
        gradients = layer_gradients(case, labels, name)
        left, right = curvature.left[0], curvature.right[0]
        moments = (left.T @ gradients @ right).square().mean(0)
        close(curvature.eigenvalues[0], moments)
        assert torch.equal(curvature.left, kfac[name].left)
        close(left.T @ left, torch.eye(len(left), dtype=torch.float64))
        matrix = layer_matrix(
            curvature.layer, {key: v[f"{name}.{key}"] for key, _ in curvature.layer.named_parameters()}
        )[0]
        solved = left @ ((left.T @ matrix @ right) / (moments + 0.1 * moments.mean())) @ right.T
        expected += torch.einsum("noi,oi->n", layer_gradients(case, case.train.labels, name), solved)
    close(scores("if_ekfac", case.context()), expected, 1e-6)


def test_kfac_of_a_linear_layer_is_the_kronecker_product_of_the_factors() -> None:
    case = case_of("mlp")
    kfac, _, labels = factors(case)
    hidden = functional_call(case.model[:3], {k: t for k, t in case.state.items() if k[0] in "012"}, case.train.inputs)
    logits = functional_call(case.model, case.state, case.train.inputs)
    delta = logits.softmax(1) - torch.nn.functional.one_hot(labels, N_CLASSES)
    a = torch.cat([hidden, torch.ones(N_TRAIN, 1, dtype=torch.float64)], dim=1)
    expected = torch.kron(delta.T @ delta / N_TRAIN, a.T @ a / N_TRAIN)
    curvature = kfac["3"]
    vectors = torch.kron(curvature.left[0].contiguous(), curvature.right[0].contiguous())
    close(vectors @ torch.diag(curvature.eigenvalues[0].flatten()) @ vectors.T, expected)


def test_kfac_of_a_convolution_averages_over_positions_and_counts_them() -> None:
    case = case_of("cnn")
    kfac, _, _ = factors(case)
    curvature = kfac["0"]
    patches = torch.nn.functional.unfold(case.train.inputs, 3, padding=1).mT  # [n, 16, 9]
    a = torch.cat([patches, torch.ones(N_TRAIN, 16, 1, dtype=torch.float64)], dim=2).flatten(0, 1)
    right = curvature.right[0]
    close(right @ torch.diag(torch.linalg.eigvalsh(a.T @ a / len(a))) @ right.T, a.T @ a / len(a), 1e-8)
    sums = curvature.eigenvalues[0].sum(0) / curvature.eigenvalues[0].sum()
    close(sums, torch.linalg.eigvalsh(a.T @ a) / torch.linalg.eigvalsh(a.T @ a).sum(), 1e-8)


def test_labels_are_drawn_from_the_model() -> None:
    case = case_of("logistic")
    inputs = case.train.inputs[:1].expand(20_000, -1, -1, -1)
    drawn = drawn_labels(case.model, case.scaled(0.1), inputs, torch.Generator().manual_seed(0))
    p = functional_call(case.model, case.scaled(0.1), inputs[:1]).softmax(1)[0]
    close(torch.bincount(drawn, minlength=N_CLASSES) / len(drawn), p.float(), 0.03)


def test_kronecker_factors_leave_out_and_name_other_layers() -> None:
    context = case_of("group_norm").context()
    scores("if_ekfac", context)
    assert "the parameters of 1 (GroupNorm) count as 0" in context.warnings[0]
    with pytest.raises(HeftError, match=r"factors are known for Linear.*; the layers are 1 \(GroupNorm\)"):
        scores("if_kfac", context, parameters="1")
    with pytest.raises(HeftError, match=r"layer attention \(MultiheadAttention\) owns in_proj_weight"):
        scores("if_kfac", case_of("attention").context())
