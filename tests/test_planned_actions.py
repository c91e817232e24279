"""What a configuration asks of actions: names and options, models that they need, and code that reruns."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_training import N_CLASSES, SPEC, examples, plain_logits, start_of
from workspace import TINY

from heft.errors import HeftError
from heft.kernels.out_of_fold import out_of_fold_probabilities
from heft.workflow.housekeeping.unplanned import Planned, planned_names
from heft.workflow.planning import paths
from heft.workflow.planning.code import action_files, report_code
from heft.workflow.planning.disk_space import lasting_states
from heft.workflow.planning.plan import Plan, load_plan


def plan_of(**changes: Any) -> Plan:
    settings = copy.deepcopy(TINY)
    settings["definitions"]["small"] |= {"methods": ["random", "oracle", "loss"], **changes}  # type: ignore[index]
    return load_plan(settings, [Path("small.yaml")])


def test_without_the_key_the_lowest_scores_are_removed() -> None:
    assert plan_of().actions("small", "loss") == ["remove"]
    assert plan_of().fractions("small", "loss") == [0.1]


@pytest.mark.parametrize("variant", ["none", "finetuned"])
def test_nothing_is_done_where_nothing_is_scored(variant: str) -> None:
    plan = plan_of(actions=["relabel"], baselines=["finetuned"])
    assert (plan.actions("small", variant), plan.fractions("small", variant)) == ([], [])
    assert plan.actions("small", "random") == ["relabel"]


def test_an_option_that_is_a_list_makes_an_action_of_each_value_and_a_default_is_left_out() -> None:
    plan = plan_of(actions=["remove", {"reweight": {"weight": [0.25, 0.5]}}])
    assert plan.actions("small", "loss") == ["remove", {"reweight": {"weight": 0.25}}, "reweight"]
    slugs = [chosen.slug for chosen in plan.experiments["small"].actions]
    assert slugs == ["remove", "reweight-weight_0.25", "reweight"]
    assert plan.experiments["small"].n_plans == 3


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (["remvoe"], r'definitions\.small\.actions\[0\] is "remvoe"; did you mean "remove"\? Known: relabel, remove'),
        ([{"relabel": {"treshold": 0.1}}], r"actions\[0\]\.relabel\.treshold is not .*threshold"),
        ([{"relabel": {"threshold": 1.0}}], r"actions\[0\]\.relabel\.threshold is 1\.0; it must be .*below 1"),
        (
            [{"reweight": {"weight": [0.5, 0]}}],
            r"weight\[1\] is 0; it must be between 0 and 1, both excluded",
        ),
        ([], r"definitions\.small\.actions is empty; it needs at least one entry"),
        (["remove", "remove"], r'definitions\.small\.actions names "remove" twice'),
        (["reweight", {"reweight": {"weight": 0.5}}], r"definitions\.small\.actions names reweight twice"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_job(actions: list[Any], sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        plan_of(actions=actions)


def test_true_labels_are_for_actions_of_methods_that_see_them() -> None:
    plan = plan_of(actions=["relabel"])
    assert [name for name in plan.variants("small") if plan.sees_true_labels("small", name)] == ["oracle"]


def test_folds_are_planned_where_an_action_needs_them_and_no_method_does() -> None:
    bare, relabelled = plan_of(), plan_of(actions=["remove", "relabel"])
    folds = "results/small/seed0/auxiliary/folds/group0/states.safetensors"
    shapes = ["results/{e}/seed{s}/auxiliary/{kind}/group{g}/states.safetensors"]
    assert Planned(planned_names(bare), shapes).of_file(folds)
    assert not Planned(planned_names(relabelled), shapes).of_file(folds)
    assert lasting_states(relabelled, "small") == lasting_states(bare, "small") + 5
    probabilities = "results/small/seed0/out_of_fold/folds/models5/probabilities.parquet"
    assert (probabilities in bare.results, probabilities in relabelled.results) == (False, True)
    assert relabelled.held_out(paths.OUT_OF_FOLD, "small", "loss", "0") == {
        "remove": {},
        "relabel": {"folds": probabilities},
    }
    assert relabelled.held_out(paths.OUT_OF_FOLD, "small", "none", "0") == {}


def test_an_action_is_in_the_code_of_the_plans_that_it_makes_alone() -> None:
    plan = plan_of(actions=["remove", "reweight"])
    assert [file.stem for file in action_files(plan, "small", "loss")] == ["remove", "reweight"]
    assert action_files(plan, "small", "none") == []
    told = report_code(plan, "small").keys()  # which has the words of their decorators
    assert {"heft.curation.remove", "heft.curation.reweight"} <= told
    assert "heft.curation.relabel" not in told


def test_probabilities_of_an_example_are_those_of_the_model_that_held_it_out() -> None:
    train, fold_of = examples(), torch.arange(23) % 2
    folds = [(start_of(number), fold_of == number) for number in (1, 0)]
    probabilities = out_of_fold_probabilities(SPEC.build(5), folds, train.inputs, train.labels, N_CLASSES)
    for number in (0, 1):
        own = fold_of == number
        logits = plain_logits(list(start_of(number).values()), train.inputs[own]).double()
        torch.testing.assert_close(
            probabilities[own], logits.exp() / logits.exp().sum(1, keepdim=True), rtol=1e-6, atol=1e-9
        )


def test_nothing_speaks_against_the_only_example_of_a_class_which_no_model_that_holds_it_out_can_know() -> None:
    labels, fold_of = torch.tensor([0, 0, 2, 2, 1]), torch.arange(5) % 2
    folds = [(start_of(number), fold_of == number) for number in (0, 1)]
    inputs = examples(5).inputs
    probabilities = out_of_fold_probabilities(SPEC.build(0), folds, inputs, labels, N_CLASSES)
    assert probabilities[4].tolist() == [0, 1, 0]
    plain = [plain_logits(list(start_of(int(fold_of[row])).values()), inputs[row : row + 1]) for row in range(4)]
    torch.testing.assert_close(probabilities[:4], torch.cat(plain).double().softmax(dim=1), rtol=1e-6, atol=1e-9)
