"""Plain methods at several states, against formulas written out; test_battery_gradients has those at one state."""

import pytest
import torch
from attribution_cases import N_TRAIN, Case, inner, make_case
from method_cases import scores

from heft.methods.context import Dynamics
from heft.registry import declarations
from heft.training.dynamics import predict


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def test_tracin_is_the_sum_of_its_checkpoints(case: Case) -> None:
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    for checkpoint in case.context().spaced:
        state = dict(checkpoint.state)
        expected += checkpoint.learning_rate * inner(case.gradients(state), case.objective_gradient(state))
    torch.testing.assert_close(scores("tracin", case), expected, rtol=0, atol=1e-10)
    load = declarations("methods")["tracin"].load()
    single = [load(case.context(spaced=[checkpoint])) for checkpoint in case.context().spaced]
    torch.testing.assert_close(scores("tracin", case), single[0] + single[1], rtol=0, atol=1e-10)


def test_el2n_is_the_mean_over_its_checkpoints(case: Case) -> None:
    errors = []
    for checkpoint in case.context().early:
        p = predict(case.model, dict(checkpoint.state), case.train.inputs).softmax(1)
        errors.append((p - torch.nn.functional.one_hot(case.train.labels, p.shape[1])).norm(dim=1))
    assert len(errors) > 1
    torch.testing.assert_close(scores("el2n", case), -torch.stack(errors).mean(0), rtol=0, atol=1e-10)


def test_trusted_loss_is_that_of_the_fine_tuned_model(case: Case) -> None:
    rows, labels = torch.arange(N_TRAIN), case.train.labels
    (fine_tuned,) = case.context().auxiliary_models("fine_tuned")
    tuned = predict(case.model, dict(fine_tuned.state), case.train.inputs).log_softmax(1)[rows, labels]
    torch.testing.assert_close(scores("trusted_loss", case), tuned, rtol=0, atol=1e-12)
    assert not torch.allclose(tuned, scores("loss", case))


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
