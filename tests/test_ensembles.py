"""Members of an ensemble: which states a member has, and that a score sees no other member's."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from attribution_cases import Case, inner, make_case
from perturbed import perturbation

from heft.ensembles.member import TrainedModel
from heft.ensembles.members import dynamics_of, member
from heft.ensembles.parameter_dropout import dropout_masks
from heft.errors import HeftError
from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.registry import declarations

NEEDS = ("final", "spaced", "early", "dynamics", "folds", "fine_tuned", "validation")
STRONG = {"parameter_dropout": {"p_max": 1.0}, "gaussian": {"sigma": 0.3}, "activation_dropout": {"rate": 0.5}}


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("batch_norm")


def context_of(case: Case, number: int, kind: str | None, options: Mapping[str, float] | None = None) -> Context:
    return member(case.context(), NEEDS, case.trained(), number, kind, options)


def states_of(context: Context) -> list[Mapping[str, torch.Tensor]]:
    checkpoints = [checkpoint.state for checkpoint in (*context.spaced, *context.early)]
    further = [model.state for models in context.auxiliary.values() for model in models]
    return [context.final, *checkpoints, *further]


def further_weight(context: Context, need: str, number: int) -> torch.Tensor:
    return context.auxiliary_models(need)[number].state["0.weight"]


@pytest.mark.parametrize("kind", [None, *declarations("ensembles")])
def test_member_zero_is_the_trained_model(case: Case, kind: str | None) -> None:
    member, plain = context_of(case, 0, kind), context_of(case, 0, None)
    assert member.model is case.model
    for state, expected in zip(states_of(member), states_of(plain), strict=True):
        assert all(torch.equal(tensor, expected[name]) for name, tensor in state.items())
    assert torch.equal(member.recorded.margin, plain.recorded.margin)


@pytest.mark.parametrize("kind", ["parameter_dropout", "gaussian"])
def test_all_states_of_a_member_have_the_same_change(case: Case, kind: str) -> None:
    changed, plain = context_of(case, 1, kind, STRONG[kind]), context_of(case, 0, None)
    _, change = perturbation(kind, case.model, changed.seed, 1, STRONG[kind])
    for state, unchanged in zip(states_of(changed), states_of(plain), strict=True):
        expected = change(unchanged)
        for name, tensor in state.items():
            assert torch.equal(tensor, expected[name])
        for name, _ in case.model.named_buffers():
            assert torch.equal(state[name], unchanged[name])
    assert not torch.equal(changed.final["0.weight"], plain.final["0.weight"])


def test_gaussian_noise_has_the_standard_deviation_asked_for() -> None:
    model = torch.nn.Linear(300, 100)
    _, change = perturbation("gaussian", model, 0, 1, {"sigma": 0.2})
    noise = change({"weight": torch.zeros(100, 300)})["weight"]
    assert float(noise.std()) == pytest.approx(0.2, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)


def test_activation_dropout_has_one_mask_for_all_examples_and_leaves_the_first_layer_alone() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(5, 400), torch.nn.Identity(), torch.nn.Linear(400, 1, bias=False))
    masked, change = perturbation("activation_dropout", model, 0, 1, {"rate": 0.25})
    state = dict(model.state_dict())
    state["0.weight"], state["0.bias"] = torch.zeros(400, 5), torch.ones(400)
    state["2.weight"] = torch.ones(1, 400)
    logits = logits_of(masked, change(state), torch.randn(6, 5))
    torch.testing.assert_close(logits, logits[:1].expand(6, 1))
    kept = float(logits[0, 0]) * 0.75
    assert kept == pytest.approx(300, abs=40)
    assert torch.equal(logits_of(model, state, torch.randn(2, 5)), torch.full((2, 1), 400.0))


@pytest.mark.parametrize("kind", list(STRONG))
def test_the_dynamics_of_a_changed_member_are_those_of_its_changed_states(case: Case, kind: str) -> None:
    context = context_of(case, 1, kind, STRONG[kind])
    model, change = perturbation(kind, case.model, context.seed, 1, STRONG[kind])
    states = [change(saved.state) for saved in case.run().role("every")]
    assert torch.equal(context.recorded.margin, dynamics_of(model, states, context).margin)
    assert not torch.allclose(context.recorded.margin, context_of(case, 0, None).recorded.margin)


def test_a_checkpoints_member_is_the_run_as_it_stood_that_many_epochs_before(case: Case) -> None:
    run = case.run()
    member, plain = context_of(case, 1, "checkpoints"), context_of(case, 0, None)
    assert member.final is not run.states[3].state
    assert torch.equal(member.final["0.weight"], run.states[2].state["0.weight"])
    assert [checkpoint.step for checkpoint in member.spaced] == [10]
    assert torch.equal(member.recorded.margin, plain.recorded.margin[:2])
    assert torch.equal(further_weight(member, "fine_tuned", 0), case.run(1.2).states[2].state["0.weight"])
    assert torch.equal(further_weight(member, "folds", 0), case.run(0.9).states[2].state["0.weight"])


def test_a_seeds_member_has_everything_of_its_own_run(case: Case) -> None:
    member = context_of(case, 2, "seeds")
    assert torch.equal(member.final["0.weight"], case.run(1.2).final.state["0.weight"])
    assert torch.equal(further_weight(member, "fine_tuned", 0), case.run(1.4).final.state["0.weight"])
    assert torch.equal(further_weight(member, "folds", 1), case.run(1.2).final.state["0.weight"])
    assert torch.equal(member.recorded.margin, case.trained().dynamics[2].margin)


@pytest.mark.parametrize("kind", ["parameter_dropout", "gaussian", "checkpoints", "seeds"])
def test_both_gradients_of_a_member_are_taken_at_the_member(case: Case, kind: str) -> None:
    context = context_of(case, 1, kind)
    state = dict(context.final)
    expected = inner(case.gradients(state), case.objective_gradient(state))
    torch.testing.assert_close(declarations("methods")["ip"].load()(context), expected, rtol=0, atol=1e-10)


def test_a_method_gets_only_the_states_that_it_needs(case: Case) -> None:
    empty = replace(case.context(), final={}, spaced=(), auxiliary={}, dynamics=None)
    context = member(empty, ("early",), case.trained(), 0, None)
    assert not context.final
    assert not context.spaced
    assert not context.auxiliary
    assert context.dynamics is None
    assert len(context.early) == 2


def test_masks_depend_on_seed_and_member_alone() -> None:
    model = torch.nn.Linear(50, 20)
    (first, p), (again, _) = (dropout_masks(TrainedModel(model, 0), 1, 0.5) for _ in range(2))
    assert 0 <= p < 0.5
    assert all(torch.equal(first[name], again[name]) for name in first)
    for other, _ in (dropout_masks(TrainedModel(model, 0), 2, 0.5), dropout_masks(TrainedModel(model, 1), 1, 0.5)):
        assert not torch.equal(first["weight"], other["weight"])


def test_rescaled_parameter_dropout_has_the_same_masks_and_keeps_the_mean() -> None:
    case = make_case("mlp")
    _, plain = perturbation("parameter_dropout", case.model, 0, 1, {"p_max": 1.0})
    _, rescaled = perturbation("parameter_dropout", case.model, 0, 1, {"p_max": 1.0, "rescale": True})
    _, p = dropout_masks(TrainedModel(case.model, 0), 1, 1.0)
    assert 0.05 < p < 1
    for name, tensor in plain(case.state).items():
        torch.testing.assert_close(rescaled(case.state)[name], tensor / (1 - p))


@pytest.mark.parametrize("p_max", [0.01, 0.5])
def test_parameter_dropout_zeroes_about_the_drawn_share(p_max: float) -> None:
    model = torch.nn.Linear(400, 100)
    masks = [dropout_masks(TrainedModel(model, 0), number, p_max)[0] for number in range(1, 30)]
    shares = [1 - torch.cat([kept.flatten() for kept in mask.values()]).double().mean() for mask in masks]
    assert all(0 <= share < p_max * 1.2 for share in shares)
    assert float(sum(shares)) / len(shares) == pytest.approx(p_max / 2, rel=0.3)


@pytest.mark.parametrize(
    ("number", "kind", "options", "sentence"),
    [
        (1, "snapshots", {}, 'ensemble "snapshots" is not known; Known: activation_dropout, checkpoints'),
        (1, None, {}, "only member 0"),
        (1, "parameter_dropout", {"p_max": 0.0}, "p_max is 0.0; it must be above 0"),
        (1, "parameter_dropout", {"p_max": 1.5}, "p_max is 1.5"),
        (1, "gaussian", {"sigma": -1.0}, "sigma is -1.0"),
        (1, "activation_dropout", {"rate": 1.0}, "rate is 1.0"),
        (1, "seeds", {"p_max": 0.1}, "p_max is an option of parameter_dropout, not of seeds"),
        (3, "seeds", {}, "needs training run 3"),
        (3, "checkpoints", {}, "3 epochs before the final one is not there"),
    ],
)
def test_a_member_that_cannot_be_is_refused(
    case: Case, number: int, kind: str | None, options: dict[str, float], sentence: str
) -> None:
    with pytest.raises(HeftError, match=sentence):
        context_of(case, number, kind, options)
