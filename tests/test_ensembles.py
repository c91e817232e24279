"""Members of an ensemble: which states a member has, and that a score sees no other member's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from attribution_cases import Case, inner, make_case
from torch import Tensor

from heft.ensembles import dropout_masks, member
from heft.errors import HeftError
from heft.methods.registry import Checkpoint, Context
from heft.registry import declarations

NEEDS = ("final", "spaced", "early", "validation")


@dataclass(frozen=True)
class Run:
    """A training run in memory, with different states in its roles."""

    state: Mapping[str, Tensor]
    cpu_seconds: float = 0.0

    def role(self, name: str) -> Sequence[Checkpoint]:
        scales = {"final": [1.0], "spaced": [0.5, 1.0], "early": [0.25, 0.5]}[name]
        return [
            Checkpoint({key: scale * tensor for key, tensor in self.state.items()}, step, 0.1 * scale)
            for step, scale in enumerate(scales)
        ]


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("batch_norm")


def context_of(case: Case, number: int, kind: str | None, **options: float) -> Context:
    runs = {0: Run(case.state), 1: Run({key: 1.1 * tensor for key, tensor in case.state.items()})}
    return member(case.context(), NEEDS, runs, number, kind, **options)


@pytest.mark.parametrize("kind", [None, "parameter_dropout", "seeds"])
def test_member_zero_is_the_trained_model(case: Case, kind: str | None) -> None:
    assert all(torch.equal(tensor, case.state[name]) for name, tensor in context_of(case, 0, kind).final.items())


def test_all_states_of_a_dropout_member_lose_the_same_parameters(case: Case) -> None:
    context = context_of(case, 1, "parameter_dropout", p_max=1.0)
    masks = dropout_masks(case.model, context.seed, 1, 1.0)
    assert sum(int((~mask).sum()) for mask in masks.values()) > 0
    states = [context.final, *(checkpoint.state for checkpoint in (*context.spaced, *context.early))]
    for state, scale in zip(states, (1.0, 0.5, 1.0, 0.25, 0.5), strict=True):
        for name, mask in masks.items():
            assert torch.equal(state[name], torch.where(mask, scale * case.state[name], 0))


def test_buffers_are_never_dropped(case: Case) -> None:
    context = context_of(case, 1, "parameter_dropout", p_max=1.0)
    for name, buffer in case.model.named_buffers():
        assert torch.equal(context.final[name], case.state[name]), buffer.shape


def test_the_steps_and_learning_rates_are_those_of_the_run(case: Case) -> None:
    for kind in ("parameter_dropout", "seeds"):
        found = [(checkpoint.step, checkpoint.learning_rate) for checkpoint in context_of(case, 1, kind).spaced]
        assert found == [(0, 0.05), (1, 0.1)]


@pytest.mark.parametrize("kind", ["parameter_dropout", "seeds"])
def test_both_gradients_of_a_member_are_taken_at_the_member(case: Case, kind: str) -> None:
    context = context_of(case, 1, kind)
    state = dict(context.final)
    expected = inner(case.gradients(state), case.objective_gradient(state))
    torch.testing.assert_close(declarations("methods")["ip"].load()(context), expected, rtol=0, atol=1e-10)


def test_a_method_gets_only_the_states_that_it_needs(case: Case) -> None:
    context = member(replace(case.context(), final={}), ("early",), {0: Run(case.state)}, 0, None)
    assert not context.final
    assert not context.spaced
    assert len(context.early) == 2


@pytest.mark.parametrize(
    ("number", "kind", "options", "sentence"),
    [
        (1, "snapshots", {}, '"snapshots" is not known; known are parameter_dropout, seeds'),
        (1, None, {}, "only member 0"),
        (1, "parameter_dropout", {"p_max": 0.0}, "p_max is 0.0; it must be above 0"),
        (1, "parameter_dropout", {"p_max": 1.5}, "p_max is 1.5"),
        (2, "seeds", {}, "needs training run 2"),
    ],
)
def test_a_member_that_cannot_be_is_refused(
    case: Case, number: int, kind: str | None, options: dict[str, float], sentence: str
) -> None:
    with pytest.raises(HeftError, match=sentence):
        context_of(case, number, kind, **options)
