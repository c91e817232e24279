"""heft.score, as a notebook calls it: the same scores as the methods give, for any module, which is left as it was."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from attribution_cases import N_CLASSES, Case, make_case
from torch import Tensor, nn
from torch.nn import functional

import heft
from heft.arguments.states import checkpoints_of
from heft.methods.context import Context
from heft.methods.declare import method
from heft.registry import declarations
from heft.scoring.members import score_members

METHODS = declarations("methods")
LIBRARY = Path(heft.__file__).parent


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def everything(case: Case, context: Context) -> dict[str, Any]:
    """All that a method may need, as a caller passes it."""
    assert context.dynamics is not None
    return {
        "train": tuple(case.train),
        "validation": tuple(case.validation),
        "true_labels": case.true_labels,
        "checkpoints": [(checkpoint.state, checkpoint.learning_rate) for checkpoint in context.spaced],
        "dynamics": tuple(context.dynamics),
        **{need: [tuple(model) for model in models] for need, models in context.auxiliary.items()},
    }


@pytest.mark.filterwarnings("ignore::heft.HeftWarning")
@pytest.mark.parametrize("name", METHODS)
def test_a_score_is_what_the_method_gives_for_the_same_context(case: Case, name: str) -> None:
    context = case.context()
    expected = METHODS[name].load()(context).double()
    passed = everything(case, context)
    if name == "trak":
        passed["subsets"] = passed["subsets"][:5]  # as many as the option's default says
        few = {"subsets": context.auxiliary["subsets"][:5]}
        expected = METHODS[name].load()(case.context(auxiliary=few)).double()
    scores = heft.score(name, case.model, **passed)
    assert scores.dtype == torch.float64
    assert torch.equal(scores, expected)


@pytest.mark.parametrize("kind", ["parameter_dropout", {"gaussian": {"sigma": 0.3}}, {"activation_dropout": None}])
def test_an_ensemble_is_the_mean_over_the_members_of_the_workflow(case: Case, kind: Any) -> None:
    ((name, options),) = kind.items() if isinstance(kind, dict) else ((kind, None),)
    members = score_members(
        "ip", {}, name, 3, model=case.model, trained=case.trained(1), train=case.train, validation=case.validation,
        true_labels=None, n_classes=N_CLASSES, seed=7, objective=case.context().objective, ensemble_options=options,
    )  # fmt: skip
    scores = heft.score(
        "ip", case.model, tuple(case.train), tuple(case.validation), seed=7, ensemble=kind, members=3
    )  # fmt: skip
    assert torch.equal(scores, torch.from_numpy(members.scores.mean(axis=1)))


def test_what_was_recorded_in_training_is_asked_again_at_each_member(case: Case) -> None:
    states = case.history[:3]
    logits = torch.stack([_logits(case.model, state, case.train.inputs) for state in states])
    passed = {"checkpoints": states, "dynamics": logits, "ensemble": {"gaussian": {"sigma": 0.5}}, "members": 2}
    alone = heft.score("aum", case.model, tuple(case.train), dynamics=logits)
    assert not torch.equal(alone, heft.score("aum", case.model, tuple(case.train), **passed))
    with pytest.raises(heft.HeftError, match="checkpoints after each of the 3 epochs of dynamics, but 2 are passed"):
        heft.score("aum", case.model, tuple(case.train), **{**passed, "checkpoints": states[:2]})


def test_an_objective_is_a_name_or_a_function_of_logits_and_labels(case: Case) -> None:
    given = (case.model, tuple(case.train), tuple(case.validation))

    def class_mean(logits: Tensor, labels: Tensor) -> Tensor:
        losses = functional.cross_entropy(logits, labels, reduction="none")
        return torch.stack([losses[labels == label].mean() for label in labels.unique()]).mean()

    by_name = heft.score("ip", *given, objective="macro_loss")
    torch.testing.assert_close(heft.score("ip", *given, objective=class_mean), by_name, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(
        heft.score("ip", *given, objective=functional.cross_entropy), heft.score("ip", *given), rtol=1e-10, atol=1e-12
    )
    assert not torch.equal(by_name, heft.score("ip", *given))


def test_checkpoints_without_learning_rates_count_alike(case: Case) -> None:
    given = (case.model, tuple(case.train), tuple(case.validation))
    states = case.history[:2]
    alone = heft.score("tracin", *given, checkpoints=states)
    assert torch.equal(alone, heft.score("tracin", *given, checkpoints=[(state, 1.0) for state in states]))


def test_checkpoints_stay_in_their_order(case: Case) -> None:
    states = case.history[:3]
    for given in (states, [(state, 0.1 * k) for k, state in enumerate(states)]):
        ordered = [state for state, _ in checkpoints_of(given, "checkpoints")]
        assert all(
            torch.equal(state["1.weight"], other["1.weight"]) for state, other in zip(ordered, states, strict=True)
        )


def test_a_state_may_be_a_module(case: Case) -> None:
    further = copy.deepcopy(case.model)
    further.load_state_dict(case.scaled(1.2))
    train = tuple(case.train)
    expected = heft.score("trusted_loss", case.model, train, fine_tuned=case.scaled(1.2))
    assert torch.equal(heft.score("trusted_loss", case.model, train, fine_tuned=further), expected)


def test_the_number_of_subsets_is_that_of_the_models_passed(case: Case) -> None:
    given = (case.model, tuple(case.train), tuple(case.validation))
    states = [case.scaled(1.1), case.scaled(1.2)]
    scores = heft.score("trak", *given, subsets=states, damping=0.1)
    assert torch.equal(scores, heft.score("trak", *given, subsets=states, damping=0.1, models=2))


def test_what_a_method_says_of_its_scores_is_one_warning(case: Case) -> None:
    given = (case.model, tuple(case.train), tuple(case.validation))
    with pytest.warns(heft.HeftWarning, match="random_projection: .*raise dimension, now 2") as said:
        heft.score("random_projection", *given, dimension=2)
    assert len(said) == 1
    assert said[0].filename == __file__
    with pytest.warns(heft.HeftWarning, match=r"now 2 \(at 3 of 3 members\)") as said:
        heft.score("random_projection", *given, dimension=2, ensemble="gaussian", members=3)
    assert len(said) == 1


@method(formula="s_i = x_i", paper="none", predicts="Nothing.", needs=("final",), ensemble=False)
def first_logit(context: Context, *, factor: float = 1.0) -> Tensor:
    """The first logit [n_train] times `factor`."""
    return factor * _logits(context.network, context.final, context.train.inputs)[:, 0]


def test_a_method_of_ones_own_is_handed_over_as_a_function(case: Case) -> None:
    expected = 3 * _logits(case.model, case.state, case.train.inputs)[:, 0]
    assert torch.equal(heft.score(first_logit, case.model, tuple(case.train), factor=3.0), expected)
    with pytest.raises(heft.HeftError, match="expected a name, or a function that carries @method"):
        heft.score(_logits, case.model, tuple(case.train))


@method(formula="s_i ~ U(0, 1)", paper="none", predicts="Nothing.", ensemble=False)
def drawn(context: Context) -> Tensor:
    """Numbers of torch's global generator [n_train]."""
    return torch.rand(len(context.train.labels))


def test_what_a_method_draws_from_a_global_generator_follows_from_the_seed_alone(case: Case) -> None:
    first = heft.score(drawn, case.model, tuple(case.train))
    state = torch.get_rng_state()
    assert torch.equal(heft.score(drawn, case.model, tuple(case.train)), first)
    assert not torch.equal(heft.score(drawn, case.model, tuple(case.train), seed=1), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_suspects_are_the_lowest_scores_with_their_labels() -> None:
    scores = torch.tensor([0.5, -1.0, 3.0, -1.0])
    assert heft.suspects(scores, [7, 8, 9, 6], count=3) == [
        (1, -1.0, 8, None),
        (3, -1.0, 6, None),
        (0, 0.5, 7, None),
    ]
    assert [suspect.label for suspect in heft.suspects(scores)] == [None] * 4
    with pytest.raises(heft.HeftError, match="labels are 3 for 4 scores"):
        heft.suspects(scores, [1, 2, 3])


def test_importing_heft_and_listing_its_methods_loads_no_torch() -> None:
    code = "import sys, heft; heft.methods(); heft.methods('ip'); print('torch' in sys.modules, 'score' in dir(heft))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=LIBRARY.parent)
    assert said.stdout.split() == ["False", "True"]
    with pytest.raises(AttributeError, match="no attribute scores"):
        heft.scores  # type: ignore[attr-defined]  # noqa: B018


def _logits(model: nn.Module, state: Any, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.func.functional_call(model, dict(state), (inputs,))
