"""Each formula of a plain method against an independent one in float64."""

import pytest
import torch
from attribution_cases import N_TRAIN, Case, inner, make_case
from kernel_cases import dense_gauss_newton
from method_cases import scores

from heft.kernels.curvature.curvature_operator import flatten
from heft.methods.context import Dynamics
from heft.registry import declarations
from heft.training.dynamics import predict


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def test_ip_is_the_inner_product_with_the_validation_gradient(case: Case) -> None:
    expected = inner(case.gradients(), case.objective_gradient())
    torch.testing.assert_close(scores("ip", case), expected, rtol=0, atol=1e-10)


def test_tracin_is_the_sum_of_its_checkpoints(case: Case) -> None:
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    for checkpoint in case.context().spaced:
        state = dict(checkpoint.state)
        expected += checkpoint.learning_rate * inner(case.gradients(state), case.objective_gradient(state))
    torch.testing.assert_close(scores("tracin", case), expected, rtol=0, atol=1e-10)
    load = declarations("methods")["tracin"].load()
    single = [load(case.context(spaced=[checkpoint])) for checkpoint in case.context().spaced]
    torch.testing.assert_close(scores("tracin", case), single[0] + single[1], rtol=0, atol=1e-10)


def test_if_cg_is_the_damped_solve(case: Case) -> None:
    matrix = dense_gauss_newton(case)
    largest = torch.linalg.eigvalsh(matrix)[-1]
    v = case.objective_gradient()
    damped = matrix + 0.1 * largest * torch.eye(len(matrix), dtype=torch.float64)
    solved = torch.linalg.solve(damped, flatten(v))
    gradients = torch.cat([case.gradients()[name].flatten(1) for name in v], dim=1)
    by_cg = scores("if_cg", case, damping=0.1, tolerance=1e-8)
    # lambda_max is known to about a percent, and so is the damping.
    torch.testing.assert_close(by_cg, gradients @ solved, rtol=0.03, atol=0.03 * float(by_cg.abs().mean()))
    assert torch.corrcoef(torch.stack([by_cg, gradients @ solved]))[0, 1] > 0.99999


def test_loss_margin_and_el2n_are_their_formulas(case: Case) -> None:
    logits, labels = predict(case.model, case.state, case.train.inputs), case.train.labels
    rows = torch.arange(N_TRAIN)
    expected_loss = logits.log_softmax(1)[rows, labels]
    torch.testing.assert_close(scores("loss", case), expected_loss, rtol=0, atol=1e-10)
    others = logits.clone()
    others[rows, labels] = -torch.inf
    torch.testing.assert_close(scores("margin", case), logits[rows, labels] - others.amax(1), rtol=0, atol=1e-10)
    errors = []
    for checkpoint in case.context().early:
        p = predict(case.model, dict(checkpoint.state), case.train.inputs).softmax(1)
        errors.append((p - torch.nn.functional.one_hot(labels, p.shape[1])).norm(dim=1))
    torch.testing.assert_close(scores("el2n", case), -torch.stack(errors).mean(0), rtol=0, atol=1e-10)


def test_confidence_and_trusted_loss_are_their_formulas(case: Case) -> None:
    rows, labels = torch.arange(N_TRAIN), case.train.labels
    p = predict(case.model, case.state, case.train.inputs).softmax(1)[rows, labels]
    torch.testing.assert_close(scores("confidence", case), p, rtol=0, atol=1e-12)
    assert torch.equal(scores("confidence", case).argsort(), scores("loss", case).argsort())
    (fine_tuned,) = case.context().auxiliary_models("fine_tuned")
    tuned = predict(case.model, dict(fine_tuned.state), case.train.inputs).log_softmax(1)[rows, labels]
    torch.testing.assert_close(scores("trusted_loss", case), tuned, rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", ["mlp", "cnn", "batch_norm", "group_norm", "attention"])
def test_self_ip_and_grad_cos_are_their_formulas(model: str) -> None:
    case = make_case(model)
    gradients, v = case.gradients(), case.objective_gradient()
    squared = torch.stack([tensor.flatten(1).square().sum(1) for tensor in gradients.values()]).sum(0)
    torch.testing.assert_close(scores("self_ip", case), -squared, rtol=1e-10, atol=1e-12)
    length = torch.cat([tensor.flatten() for tensor in v.values()]).norm()
    expected = inner(gradients, v) / (squared.sqrt() * length)
    torch.testing.assert_close(scores("grad_cos", case), expected, rtol=1e-8, atol=1e-10)
    assert float(scores("grad_cos", case).abs().max()) <= 1 + 1e-12


def test_aum_is_the_mean_margin_and_forgetting_counts_what_was_learned_then_lost(case: Case) -> None:
    margin = torch.tensor([[1.0, -1, -1, 1, 1], [-1.0, -1, 1, 1, -1], [1.0, -1, 1, 1, 1], [-1.0, -1, 1, 1, 1]])
    context = case.context(dynamics=Dynamics(margin + 3, torch.full_like(margin, 3.0)))
    load = {name: declarations("methods")[name].load() for name in ("aum", "forgetting")}
    torch.testing.assert_close(load["aum"](context), margin.mean(0))
    assert load["forgetting"](context).tolist() == [-2, -4, 0, 0, -1]


def test_confident_learning_is_cleanlabs_score_of_out_of_fold_probabilities(case: Case) -> None:
    labels, expected = case.train.labels, torch.zeros(N_TRAIN, dtype=torch.float64)
    for fold in case.context().auxiliary_models("folds"):
        p = predict(case.model, dict(fold.state), case.train.inputs).softmax(1)
        expected = torch.where(fold.held_out, p[torch.arange(N_TRAIN), labels], expected)
    torch.testing.assert_close(scores("confident_learning", case), expected, rtol=0, atol=1e-12)
    margin = scores("confident_learning", case, quality="normalized_margin")
    assert not torch.equal(margin.argsort(), expected.argsort())
    assert not torch.equal(scores("confident_learning", case, adjusted=True), expected)
