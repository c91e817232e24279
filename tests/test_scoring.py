"""Ensembles and scoring: members, means of the first K, costs, and scores that are refused."""

import re

import numpy as np
import pytest
from attribution_cases import N_CLASSES, N_TRAIN, Case, further_models, make_case

from heft.errors import HeftError
from heft.objectives.loss import loss
from heft.registry import declarations
from heft.scoring.aggregate import check_scores, costs_from_json, ensemble_cost, ensemble_mean, ensemble_warnings
from heft.scoring.members import MemberScores, costs_as_json, score_members


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def scored(case: Case, name: str, kind: str | None, size: int, **changes: object) -> MemberScores:
    values: dict[str, object] = {
        "model": case.model,
        "trained": case.trained(members=3, cpu_seconds=2.0),
        "train": case.train,
        "validation": case.validation,
        "true_labels": case.true_labels,
        "n_classes": N_CLASSES,
        "seed": 0,
        "objective": loss,
    }
    options = changes.pop("options", {})
    return score_members(name, options, kind, size, **{**values, **changes})  # type: ignore[arg-type]


# Scores of whole numbers change only where a member changes a prediction, so changes are large here.
STRONG = {"parameter_dropout": {"p_max": 1.0}, "gaussian": {"sigma": 0.3}, "activation_dropout": {"rate": 0.5}}

# A quick run tries one kind with every method.
KINDS = [k if k == "parameter_dropout" else pytest.param(k, marks=pytest.mark.slow) for k in declarations("ensembles")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [n for n, d in declarations("methods").items() if d.fields["ensemble"]])
def test_every_method_with_a_model_takes_every_kind_of_ensemble(case: Case, name: str, kind: str) -> None:
    result = scored(case, name, kind, 2, ensemble_options=STRONG.get(kind))
    assert result.scores.shape == (N_TRAIN, 2)
    np.testing.assert_array_equal(result.scores[:, 0], scored(case, name, None, 1).scores[:, 0])
    # A run that is a little shorter may have forgotten as often, and has the same early epochs.
    if (name, kind) not in {("forgetting", "checkpoints"), ("el2n", "checkpoints")}:
        assert not np.array_equal(result.scores[:, 0], result.scores[:, 1])


def test_only_methods_without_a_model_take_no_ensemble() -> None:
    alone = {name for name, declared in declarations("methods").items() if not declared.fields["ensemble"]}
    assert alone == {"random", "oracle", "neighbour_vote", "linear_probe"}


@pytest.mark.parametrize("kind", list(declarations("ensembles")))
def test_members_do_not_depend_on_how_many_there_are(case: Case, kind: str) -> None:
    np.testing.assert_array_equal(scored(case, "ip", kind, 3).scores[:, :2], scored(case, "ip", kind, 2).scores)


def test_a_seeds_member_is_scored_wholly_at_its_own_run(case: Case) -> None:
    state = {key: 1.1 * tensor for key, tensor in case.state.items()}
    expected = declarations("methods")["ip"].load()(case.context(final=state))
    np.testing.assert_allclose(scored(case, "ip", "seeds", 2).scores[:, 1], expected.numpy(), atol=1e-12)


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


@pytest.mark.parametrize(
    ("name", "kind", "charged"),
    [
        ("loss", None, [0.0]),
        ("loss", "gaussian", [0.0, 0.0]),
        ("confident_learning", None, [4.0]),
        ("confident_learning", "gaussian", [4.0, 0.0]),
        ("confident_learning", "seeds", [4.0, 4.0]),
        ("trusted_loss", "checkpoints", [2.0, 0.0]),
        ("trusted_loss", "seeds", [2.0, 4.0]),
    ],
)
def test_a_member_is_charged_what_was_trained_for_it(
    case: Case, name: str, kind: str | None, charged: list[float]
) -> None:
    costs = scored(case, name, kind, len(charged)).costs
    assert [cost.training_cpu_seconds for cost in costs] == charged


def test_recorded_dynamics_are_charged_a_forward_pass_an_epoch(case: Case) -> None:
    result = scored(case, "aum", "seeds", 2)
    expected = [3 * result.forward_cpu_seconds, 3 * result.forward_cpu_seconds + 2.0]
    assert [cost.training_cpu_seconds for cost in result.costs] == pytest.approx(expected)


def test_costs_add_up_and_training_of_members_is_charged(case: Case) -> None:
    result = scored(case, "ip", "seeds", 3)
    costs = costs_from_json(costs_as_json(result))
    assert [cost.training_cpu_seconds for cost in costs] == [0.0, 2.0, 2.0]
    total = ensemble_cost(costs, 2)
    assert total["score_cpu_seconds"] == pytest.approx(costs[0].cpu_seconds + costs[1].cpu_seconds + 2.0)
    assert total["forward_passes"] == pytest.approx(total["score_cpu_seconds"] / result.forward_cpu_seconds)


def test_what_a_method_says_of_its_scores_is_kept_for_each_member(case: Case) -> None:
    result = scored(case, "random_projection", "seeds", 3, options={"dimension": 2})
    facts = costs_as_json(result)
    assert len(facts["warnings"]) == 3
    (alone,) = ensemble_warnings(facts, 1)
    assert alone.endswith("raise dimension, now 2")
    (together,) = ensemble_warnings(facts, 3)
    assert together == f"{alone} (at 3 of 3 members)"
    assert ensemble_warnings(costs_as_json(scored(case, "ip", None, 1)), 1) == []


def test_a_member_has_its_own_models_on_subsets(case: Case) -> None:
    result = scored(
        case, "trak", "seeds", 2, options={"models": 2, "damping": 0.1}, trained=case.trained(2, 2.0, n_subsets=2)
    )
    subsets = further_models(case.run(1 + 0.05 * number).final.state for number in (2, 3))
    context = case.context(auxiliary={"subsets": subsets})
    expected = declarations("methods")["trak"].load()(context, models=2, damping=0.1)
    np.testing.assert_allclose(result.scores[:, 1], expected.numpy(), atol=1e-12)
    assert [cost.training_cpu_seconds for cost in result.costs] == [4.0, 4.0]


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


OF_SGD = [name for name, declared in declarations("methods").items() if declared.fields["derived_for_sgd"]]


def test_methods_that_read_the_rate_or_the_decay_of_training_were_derived_for_sgd() -> None:
    reading = re.compile(r"\.weight_decay|\.learning_rate")
    assert [n for n, d in declarations("methods").items() if reading.search(d.file.read_text("utf-8"))] == OF_SGD


@pytest.mark.parametrize("name", ["tracin", "ip"])
def test_a_method_that_was_derived_for_sgd_says_so_where_another_optimiser_trained(case: Case, name: str) -> None:
    by_adamw, by_sgd = (scored(case, name, "gaussian", 2, optimiser=optimiser) for optimiser in ("adamw", "sgd"))
    np.testing.assert_array_equal(by_adamw.scores, by_sgd.scores)
    sentence = (
        "its formula was derived for SGD, where a step is the learning rate times the gradient, but adamw trained the "
        "model"
    )
    assert by_adamw.warnings == ([[sentence], [sentence]] if name in OF_SGD else [[], []])
    assert by_sgd.warnings == [[], []]
    said = [f"{sentence} (at 2 of 2 members)"] if name in OF_SGD else []
    assert ensemble_warnings(costs_as_json(by_adamw), 2) == said
