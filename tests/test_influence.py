"""Curvature methods against dense matrices and explicit sums in float64, and all estimates against leaving one out."""

from functools import cache
from typing import Any

import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case, further_models, inner, make_case
from test_kernels import dense_gauss_newton
from test_methods import refitted, validation_loss
from torch.func import functional_call, hessian
from torch.nn.functional import cross_entropy

from heft.errors import HeftError
from heft.evaluation.statistics import rank_agreement
from heft.kernels.batch import Batch
from heft.kernels.curvature import curvature_operator as curvature
from heft.kernels.curvature import solve
from heft.kernels.curvature.curvature_operator import flatten, unflatten
from heft.kernels.curvature.kronecker import drawn_labels, eigenvalue_corrected, kronecker_curvature
from heft.kernels.layers.rows import layer_matrix
from heft.methods import if_lissa
from heft.methods.context import Context
from heft.registry import declarations

MODELS = ["logistic", "no_bias", "mlp", "cnn"]


def scores(name: str, context: Context, **options: object) -> torch.Tensor:
    return declarations("methods")[name].load()(context, **options)


@cache
def case_of(name: str) -> Case:
    return make_case(name)


def gradient_rows(case: Case) -> torch.Tensor:
    """[n, n_parameters] in the model's order."""
    gradients = case.gradients()
    return torch.cat([gradients[name].flatten(1) for name, _ in case.model.named_parameters()], dim=1)


def validation_vector(case: Case) -> torch.Tensor:
    v = case.objective_gradient()
    return flatten({name: v[name] for name, _ in case.model.named_parameters()})


def dense_hessian(case: Case) -> torch.Tensor:
    parameters, buffers = case.split(case.state)

    def mean(vector: torch.Tensor) -> torch.Tensor:
        logits = functional_call(case.model, {**unflatten(vector, parameters), **buffers}, (case.train.inputs,))
        return cross_entropy(logits, case.train.labels)

    return hessian(mean)(flatten(parameters))


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-9) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max()))


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


@pytest.mark.parametrize("model", MODELS)
def test_if_cg_and_if_lissa_come_to_the_exact_solve(model: str) -> None:
    case = case_of(model)
    expected = scores("if_exact", case.context(), damping=0.1, curvature="gauss_newton")
    # The largest eigenvalue, and with it the damping, is known to two percent.
    found = scores("if_cg", case.context(), damping=0.1, tolerance=1e-10)
    close(found, expected, 0.05)
    # The same eigenvalue is used by both, so they agree to the tolerance.
    lissa = scores("if_lissa", case.context(), batch_size=N_TRAIN, tolerance=1e-8, depth=5000)
    close(lissa, found, 1e-6)


def test_if_cg_is_the_exact_solve_to_a_millionth_where_the_shift_is_known() -> None:
    case = case_of("mlp")
    matrix = dense_gauss_newton(case)
    damped = matrix + (10.0 + 1e-9 * torch.linalg.eigvalsh(matrix)[-1]) * torch.eye(len(matrix), dtype=torch.float64)
    expected = gradient_rows(case) @ torch.linalg.solve(damped, validation_vector(case))
    close(scores("if_cg", case.context(weight_decay=10.0), damping=1e-9, tolerance=1e-12), expected, 1e-6)


def test_if_cg_on_an_indefinite_hessian_names_the_damping_that_would_do() -> None:
    case = case_of("mlp")
    with pytest.raises(HeftError, match="damping must be above") as found:
        scores("if_cg", case.context(), damping=1e-4, curvature="hessian", tolerance=1e-8)
    needed = float(str(found.value).partition("damping must be above ")[2].split()[0])
    scores("if_cg", case.context(), damping=1.2 * needed, curvature="hessian", tolerance=1e-8)


def test_if_lissa_on_batches_is_near_the_exact_solve_and_says_how_near() -> None:
    case, context = case_of("mlp"), case_of("mlp").context()
    exact = scores("if_lissa", case.context(), batch_size=N_TRAIN, tolerance=1e-6)
    found = scores("if_lissa", context, batch_size=10, tolerance=1e-3)
    assert torch.corrcoef(torch.stack([found, exact]))[0, 1] > 0.9
    assert "relative residual" in context.warnings[0]


def test_the_scale_of_if_lissa_follows_the_steepest_batch_at_no_product_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, sizes, searches = case_of("mlp"), [], []
    product, search = curvature.gauss_newton_product, solve.leading_eigenpair

    def counted(*given: Any) -> dict[str, torch.Tensor]:
        sizes.append(len(given[3]))
        return product(*given)

    def recorded(operator: curvature.Operator, *given: Any, **options: Any) -> solve.Eigenpair:
        found = search(operator, *given, **options)
        searches.append((operator, found.vector, sizes.count(N_TRAIN)))
        return found

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
    context = case_of("mlp").context()
    scores("if_arnoldi", context, rank=4, iterations=4)
    assert any("have not converged" in said for said in context.warnings)
    one = case_of("cnn").context()
    scores("if_arnoldi", one, rank=1, iterations=30)
    assert any("% of the squared length" in said for said in one.warnings)


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
    for name, found in corrected.items():
        gradients = layer_gradients(case, labels, name)
        left, right = found.left[0], found.right[0]
        moments = (left.T @ gradients @ right).square().mean(0)
        close(found.eigenvalues[0], moments)
        assert torch.equal(found.left, kfac[name].left)
        close(left.T @ left, torch.eye(len(left), dtype=torch.float64))
        matrix = layer_matrix(found.layer, {key: v[f"{name}.{key}"] for key, _ in found.layer.named_parameters()})[0]
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
    found = kfac["3"]
    vectors = torch.kron(found.left[0].contiguous(), found.right[0].contiguous())
    close(vectors @ torch.diag(found.eigenvalues[0].flatten()) @ vectors.T, expected)


def test_kfac_of_a_convolution_averages_over_positions_and_counts_them() -> None:
    case = case_of("cnn")
    kfac, _, _ = factors(case)
    found = kfac["0"]
    patches = torch.nn.functional.unfold(case.train.inputs, 3, padding=1).mT  # [n, 16, 9]
    a = torch.cat([patches, torch.ones(N_TRAIN, 16, 1, dtype=torch.float64)], dim=2).flatten(0, 1)
    right = found.right[0]
    close(right @ torch.diag(torch.linalg.eigvalsh(a.T @ a / len(a))) @ right.T, a.T @ a / len(a), 1e-8)
    sums = found.eigenvalues[0].sum(0) / found.eigenvalues[0].sum()
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


@pytest.mark.parametrize("model", ["logistic", "no_bias", "mlp", "cnn", "batch_norm", "group_norm"])
def test_datainf_is_the_explicit_sum(model: str) -> None:
    case = case_of(model)
    gradients, v = case.gradients(), case.objective_gradient()
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    for name, layer in case.model.named_modules():
        keys = [f"{name}.{key}" for key, _ in layer.named_parameters(recurse=False)]
        if not keys:
            continue
        g = torch.cat([gradients[key].flatten(1) for key in keys], dim=1)
        own = torch.cat([v[key].flatten() for key in keys])
        damping = 0.1 * g.square().sum(1).mean() / g.shape[1]
        inverses = [
            (torch.eye(g.shape[1], dtype=torch.float64) - torch.outer(one, one) / (damping + one @ one)) / damping
            for one in g
        ]
        expected += g @ (torch.stack(inverses).mean(0) @ own)
    close(scores("datainf", case.context()), expected)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_self_if_is_the_quadratic_form_of_ekfac(model: str) -> None:
    case = case_of(model)
    _, corrected, _ = factors(case)
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    for name, found in corrected.items():
        gradients = layer_gradients(case, case.train.labels, name)
        rotated = found.left[0].T @ gradients @ found.right[0]
        moments = found.eigenvalues[0]
        expected -= (rotated.square() / (moments + 0.1 * moments.mean())).sum((1, 2))
    close(scores("self_if", case.context()), expected)


def test_random_projection_is_unbiased_with_the_variance_it_says() -> None:
    case = case_of("mlp")
    exact, g, v = scores("ip", case.context()), gradient_rows(case), validation_vector(case)
    drawn = torch.stack([scores("random_projection", case.context(seed=seed), dimension=64) for seed in range(200)])
    variance = ((v @ v) * g.square().sum(1) + (g @ v).square()) / 64
    assert ((drawn.mean(0) - exact).abs() < 4 * (variance / 200).sqrt()).all()
    torch.testing.assert_close(drawn.var(0), variance, rtol=0.5, atol=0)


def test_random_projection_warns_where_noise_hides_the_scores() -> None:
    context = case_of("mlp").context()
    found = scores("random_projection", context, dimension=2)
    g, v = gradient_rows(case_of("mlp")), validation_vector(case_of("mlp"))
    noise = (v @ v * g.square().sum(1).mean() / 2).sqrt()
    said = f"({noise:.2g}) is more than half the spread of the scores ({found.std():.2g}); raise dimension, now 2"
    assert said in context.warnings[0]


def test_trak_is_its_dense_formula() -> None:
    case = case_of("mlp")
    dimension, parts, doubts = 8, [], []
    subsets = case.context().auxiliary_models("subsets")[:3]
    for number, (state, _) in enumerate(subsets):
        parameters, buffers = case.split(dict(state))
        like = dict(parameters)

        def margins(vector: torch.Tensor, buffers=buffers, like=like) -> torch.Tensor:  # type: ignore[no-untyped-def]
            logits = functional_call(case.model, {**unflatten(vector, like), **buffers}, (case.train.inputs,))
            p = logits.softmax(1).gather(1, case.train.labels[:, None])[:, 0]
            return (p / (1 - p)).log()

        jacobian = torch.func.jacrev(margins)(flatten(like))
        of_each = [
            torch.randn(
                dimension, t.numel(), generator=case.context().generator(f"trak/{number}/{name}/0"), dtype=t.dtype
            )
            for name, t in like.items()
        ]
        projection = torch.cat(of_each, dim=1) / len(flatten(like)) ** 0.5
        phi = jacobian @ projection.T
        kernel = phi.T @ phi
        kernel = kernel + 0.01 * kernel.diagonal().mean() * torch.eye(dimension, dtype=torch.float64)
        v = case.objective_gradient(dict(state))
        of_objective = projection @ flatten({name: v[name] for name in like})
        parts.append(phi @ torch.linalg.inv(kernel) @ of_objective)
        logits = functional_call(case.model, dict(state), (case.train.inputs,))
        doubts.append(1 - logits.softmax(1).gather(1, case.train.labels[:, None])[:, 0])
    expected = -torch.stack(doubts).mean(0) * torch.stack(parts).mean(0)
    context = case.context(auxiliary={"subsets": subsets})
    close(scores("trak", context, models=3, dimension=dimension), expected, 1e-6)


def test_trak_warns_of_a_dimension_near_the_number_of_examples() -> None:
    context = case_of("logistic").context()
    scores("trak", context, dimension=32, damping=0.1)
    assert "dimension 32 is more than half the 40 training examples" in context.warnings[0]


def test_gex_of_a_linear_walk_follows_ip() -> None:
    """Losses that move together with f over many short walks are those whose gradients point along that of f."""
    case = case_of("logistic")
    found = scores("gex", case.context(), models=64, epochs=0.2, step_size=0.2, batch_size=4)
    g = gradient_rows(case)
    centred = g - g.mean(0)
    covariance = centred.T @ centred
    assert torch.corrcoef(torch.stack([found, g @ covariance @ validation_vector(case)]))[0, 1] > 0.8


def test_gex_warns_where_all_walks_drift_alike() -> None:
    context = case_of("logistic").context(final=case_of("logistic").scaled(0.1))
    scores("gex", context, models=4, epochs=5, batch_size=20)
    assert "lower step_size or epochs" in context.warnings[0]


GRADIENT_METHODS = sorted(name for name, one in declarations("methods").items() if "parameters" in one.options)


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_a_method_can_look_at_some_parameters_alone(name: str) -> None:
    context = case_of("cnn").context()
    options = {"rank": 3} if name == "if_arnoldi" else {}
    last, named = (scores(name, context, parameters=which, **options) for which in ("last", "4"))
    assert torch.equal(last, named)
    assert not torch.equal(last, scores(name, context, parameters="all", **options))
    with pytest.raises(HeftError, match=r'parameters is "conv\*"; it must be all, last, or fit a layer: 0, 4'):
        scores(name, context, parameters="conv*")


def test_ip_of_the_last_layer_is_the_inner_product_of_its_gradients() -> None:
    case = case_of("cnn")
    v = {name: tensor for name, tensor in case.objective_gradient().items() if name.startswith("4.")}
    close(scores("ip", case.context(), parameters="last"), inner(case.gradients(), v))
    squares = sum(case.gradients()[name].flatten(1).square().sum(1) for name in v)
    close(-scores("self_ip", case.context(), parameters="last"), squares)


# Methods that estimate influence, with the options that suit a model at its optimum with weight decay.
ESTIMATES: dict[str, dict[str, object]] = {
    "ip": {}, "tracin": {}, "grad_cos": {}, "random_projection": {}, "datainf": {}, "if_kfac": {}, "if_ekfac": {},
    "if_exact": {"damping": 0.0}, "if_cg": {"damping": 1e-6, "tolerance": 1e-8},
    "if_lissa": {"damping": 1e-6, "tolerance": 1e-4, "batch_size": N_TRAIN}, "if_arnoldi": {"rank": 30},
    "gex": {"models": 64}, "trak": {"damping": 0.1},
}  # fmt: skip


@cache
def left_out() -> tuple[Case, Context, torch.Tensor]:
    """A convex case refitted without each example: the context at the optimum, and n times the change of f [n]."""
    case, decay = make_case("logistic"), 0.5
    base = refitted(case, torch.ones(N_TRAIN, dtype=torch.float64), decay)
    changes = []
    for index in range(N_TRAIN):
        weights = torch.ones(N_TRAIN, dtype=torch.float64)
        weights[index] = 0
        changes.append(validation_loss(case, refitted(case, weights, decay)) - validation_loss(case, base))
    halves = [
        torch.randperm(N_TRAIN, generator=torch.Generator().manual_seed(seed)) < N_TRAIN // 2 for seed in range(10)
    ]
    context = case.context(
        final=base,
        weight_decay=decay,
        spaced=[checkpoint.__class__(base, 10, 0.1) for checkpoint in case.context().spaced],
        auxiliary={"subsets": further_models(refitted(case, 2.0 * half, decay) for half in halves)},
    )
    return case, context, N_TRAIN * torch.stack(changes)


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_estimate_follows_leaving_one_out_on_a_convex_model(name: str) -> None:
    import pandas as pd

    _, context, change = left_out()
    found = scores(name, context, **ESTIMATES[name])
    ranks = rank_agreement(pd.DataFrame({"found": found.numpy(), "change": change.numpy()}))["spearman"]
    assert float(ranks.iloc[0]) > 0.3
    if declarations("methods")[name].fields.get("counterfactual"):
        slope = float((found @ change) / (found @ found))
        assert slope == pytest.approx(1.2, abs=0.1)  # a whole example among 40 moves the curvature: see test_methods


def test_every_method_that_estimates_influence_is_compared_with_leaving_one_out() -> None:
    declared = declarations("methods")
    detectors = {"trusted_loss", "oracle", "random"}
    assert {n for n, d in declared.items() if "validation" in d.fields["needs"]} - detectors == set(ESTIMATES)
