"""Ensembles and scoring: members, means of the first K, costs, and scores that are refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case, make_case

from heft.ensembles import dropout_masks
from heft.errors import HeftError
from heft.methods.registry import Checkpoint
from heft.registry import declarations
from heft.scores import check_scores, costs_from_json, ensemble_cost, ensemble_mean
from heft.scoring import MemberScores, costs_as_json, score_members


@dataclass(frozen=True)
class Run:
    """A training run in memory, with one state in every role."""

    state: dict[str, torch.Tensor]
    cpu_seconds: float

    def role(self, name: str) -> Sequence[Checkpoint]:
        return [Checkpoint(self.state, 1, 0.1)]


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def scored(case: Case, name: str, kind: str | None, size: int, **changes: object) -> MemberScores:
    runs = {k: Run({key: (1 + 0.1 * k) * tensor for key, tensor in case.state.items()}, 2.0) for k in range(3)}
    values: dict[str, object] = {
        "model": case.model,
        "runs": runs,
        "train": case.train,
        "validation": case.validation,
        "true_labels": case.true_labels,
        "n_classes": N_CLASSES,
        "seed": 0,
    }
    return score_members(name, {}, kind, size, **{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["parameter_dropout", "seeds"])
@pytest.mark.parametrize("name", [n for n, d in declarations("methods").items() if d.fields["ensemble"]])
def test_every_method_with_a_model_takes_every_ensemble(case: Case, name: str, kind: str) -> None:
    found = scored(case, name, kind, 3)
    assert found.scores.shape == (N_TRAIN, 3)
    np.testing.assert_array_equal(found.scores[:, 0], scored(case, name, None, 1).scores[:, 0])
    assert not np.array_equal(found.scores[:, 0], found.scores[:, 1])


@pytest.mark.parametrize("kind", ["parameter_dropout", "seeds"])
def test_members_do_not_depend_on_how_many_there_are(case: Case, kind: str) -> None:
    np.testing.assert_array_equal(scored(case, "ip", kind, 3).scores[:, :2], scored(case, "ip", kind, 2).scores)


def test_a_seeds_member_is_scored_wholly_at_its_own_run(case: Case) -> None:
    state = {key: 1.1 * tensor for key, tensor in case.state.items()}
    expected = declarations("methods")["ip"].load()(case.context(final=state))
    np.testing.assert_allclose(scored(case, "ip", "seeds", 2).scores[:, 1], expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("p_max", [0.01, 0.5])
def test_parameter_dropout_zeroes_about_the_drawn_share(p_max: float) -> None:
    model = torch.nn.Linear(400, 100)
    shares = [
        1 - torch.cat([m.flatten() for m in dropout_masks(model, 0, number, p_max).values()]).double().mean()
        for number in range(1, 30)
    ]
    assert all(0 <= share < p_max * 1.2 for share in shares)
    assert float(sum(shares)) / len(shares) == pytest.approx(p_max / 2, rel=0.3)


def test_masks_depend_on_seed_and_member_alone() -> None:
    model = torch.nn.Linear(50, 20)
    first, again = dropout_masks(model, 0, 1, 0.5), dropout_masks(model, 0, 1, 0.5)
    assert all(torch.equal(first[name], again[name]) for name in first)
    for other in (dropout_masks(model, 0, 2, 0.5), dropout_masks(model, 1, 1, 0.5)):
        assert not torch.equal(first["weight"], other["weight"])


def test_an_ensemble_of_a_method_without_one_is_refused(case: Case) -> None:
    with pytest.raises(HeftError, match="Method random takes no ensemble"):
        scored(case, "random", "seeds", 2)


def test_a_missing_member_is_named(case: Case) -> None:
    with pytest.raises(HeftError, match="member 3 needs training run 3"):
        scored(case, "ip", "seeds", 4)


def test_the_mean_is_over_the_first_members() -> None:
    scores = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(ensemble_mean(scores, 1), scores[:, 0])
    np.testing.assert_array_equal(ensemble_mean(scores, 2), scores[:, :2].mean(1))
    with pytest.raises(HeftError, match="ensemble of 4"):
        ensemble_mean(scores, 4)


def test_costs_add_up_and_training_of_members_is_charged(case: Case) -> None:
    found = scored(case, "ip", "seeds", 3)
    costs = costs_from_json(costs_as_json(found))
    assert [cost.training_cpu_seconds for cost in costs] == [0.0, 2.0, 2.0]
    total = ensemble_cost(costs, 2)
    assert total["score_cpu_seconds"] == pytest.approx(costs[0].cpu_seconds + costs[1].cpu_seconds + 2.0)
    assert total["forward_passes"] == pytest.approx(total["score_cpu_seconds"] / found.forward_cpu_seconds)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (np.array([1.0, np.nan, 2.0]), "1 of 3 scores that are not finite, first in row 1"),
        (np.array([np.inf, 1.0, 2.0]), "not finite, first in row 0"),
        (np.ones(3), "ranks nothing"),
        (np.arange(4.0), r"shape \[4\] for 3 training examples"),
    ],
)
def test_unusable_scores_are_refused_with_the_method_named(scores: np.ndarray, sentence: str) -> None:
    with pytest.raises(HeftError, match=f"Method ip.*{sentence}"):
        check_scores(scores, 3, "ip", "member 0")
