"""What further models predict of examples that they did not train on, for any kind of them that an action needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_training import N_CLASSES, SPEC, examples, plain_logits, start_of
from test_planned_actions import plan_of

from heft.auxiliary.kinds import kinds
from heft.errors import HeftError
from heft.kernels.out_of_fold import held_out_probabilities, out_of_fold_probabilities
from heft.registry import added_folder, find
from heft.workflow.housekeeping.unplanned import Planned, planned_names
from heft.workflow.planning import paths
from heft.workflow.planning.auxiliary import all_groups
from heft.workflow.planning.disk_space import lasting_states

ACTION = '''"""doubted: removes what models of halves doubt."""

from heft.curation.declare import Curated, action


@action(
    title="Doubted", verb="doubt", gerund="doubting", participle="doubted", noun="doubt", does="Doubts.",
    changes=("kept",), needs=("subsets",),
)
def doubted(context, *, models: int = 3) -> Curated:
    return context.curated(kept=context.held_out_probabilities("subsets").max(axis=1) > 0)
'''
BOTH = ["remove", "doubted", {"doubted": {"models": 7}}]
FILE = "results/small/seed0/out_of_fold/subsets/models{}/probabilities.parquet"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder of actions, which holds one that needs models of halves."""
    (tmp_path / "doubted.py").write_text(ACTION)
    with added_folder("curation", tmp_path):
        yield tmp_path


def test_each_number_of_models_that_actions_ask_for_has_a_file_and_the_groups_are_trained_once(room: Path) -> None:
    plan = plan_of(actions=BOTH)
    assert all_groups(plan.experiments["small"]) == {"subsets": [0, 1]}
    assert [file for file in plan.results if "/out_of_fold/" in file] == [FILE.format(3), FILE.format(7)]
    assert plan.held_out(paths.OUT_OF_FOLD, "small", "loss", "0") == {
        "remove": {}, "doubted": {"subsets": FILE.format(3)}, "doubted-models_7": {"subsets": FILE.format(7)},
    }  # fmt: skip
    assert lasting_states(plan, "small") == lasting_states(plan_of(), "small") + 10


def test_predictions_that_no_action_asks_for_any_more_are_told(room: Path) -> None:
    shapes = ["results/{e}/seed{s}/out_of_fold/{kind}/models{n}/probabilities.parquet"]
    planned = Planned(planned_names(plan_of(actions=BOTH)), shapes)
    assert [planned.of_file(FILE.format(n)) for n in (3, 7)] == ["", ""]
    assert planned.of_file(FILE.format(5)) == "small, predictions of 5 subsets"
    assert planned.of_run("small/seed0/out_of_fold/subsets models3") == ""
    assert planned.of_run("small/seed0/out_of_fold/folds models5") == "small, predictions of 5 folds"
    older = ("results/small/seed0/out_of_fold/probabilities.parquet", "logs/small/seed0/out_of_fold.log")
    assert {planned.of_file(file) for file in older} == {"small, made by an older version"}
    assert planned.of_run("small/seed0/out_of_fold") == "small, made by an older version"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ACTION.replace('needs=("subsets"', 'needs=("subset"'), r'needs has "subset"; did you mean "subsets"\? Known:'),
        (
            ACTION.replace("models: int", "number: int"),
            r"small\.actions: action doubted needs subsets, but has no option models, which says how many; add it",
        ),
    ],
)
def test_a_mistake_in_what_an_action_needs_is_one_sentence_before_any_job(room: Path, text: str, sentence: str) -> None:
    (room / "doubted.py").write_text(text)
    with pytest.raises(HeftError, match=sentence):
        plan_of(actions=["doubted"])


def test_a_method_that_does_not_say_how_many_is_refused_before_any_job_too(tmp_path: Path) -> None:
    (tmp_path / "needy.py").write_text(
        '"""needy: x."""\n@method(formula="f", paper="p", predicts="x", needs=("subsets",), ensemble=True)\n'
        "def needy(context): ...\n"
    )
    with (
        added_folder("methods", tmp_path),
        pytest.raises(HeftError, match=r"small\.methods: method needy needs subsets, but has no option models"),
    ):
        plan_of(methods=["needy"])


def test_validation_chooses_no_row_where_an_action_needs_models_that_saw_its_labels(room: Path) -> None:
    assert not plan_of(actions=BOTH).variant("small", "loss")["trains_on_validation"]
    (room / "doubted.py").write_text(ACTION.replace('"subsets",', '"fine_tuned",'))
    plan = plan_of(actions=["remove", "doubted"], baselines=[])
    assert [plan.variant("small", name)["trains_on_validation"] for name in ("loss", "none")] == [True, False]


def predicted_by_hand(models: list[tuple[dict[str, Any], torch.Tensor]], inputs: torch.Tensor, row: int) -> list[float]:
    """The mean probabilities of one example."""
    logits = [plain_logits(list(state.values()), inputs)[row].double() for state, held in models if held[row]]
    each = [(values.exp() / values.exp().sum()).tolist() for values in logits]
    return [sum(of_class) / len(each) for of_class in zip(*each, strict=True)]


def test_probabilities_are_the_mean_over_the_models_that_held_the_example_out() -> None:
    train = examples()
    held = [torch.arange(23) % 2 == 0, torch.arange(23) % 3 == 0, torch.arange(23) % 2 == 1, torch.zeros(23).bool()]
    models = [(start_of(number), rows) for number, rows in enumerate(held)]
    probabilities = held_out_probabilities(SPEC.build(5), models, train.inputs, train.labels, N_CLASSES)
    for row in range(23):
        expected = predicted_by_hand(models, train.inputs, row)
        assert probabilities[row].tolist() == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_an_example_that_no_model_held_out_is_one_sentence() -> None:
    train = examples()
    models = [(start_of(0), torch.arange(23) != 4), (start_of(1), torch.arange(23) == 2)]
    with pytest.raises(HeftError, match="training example 4 is held out by none of the 2 models"):
        held_out_probabilities(SPEC.build(0), models, train.inputs, train.labels, N_CLASSES)


def test_folds_are_held_to_hold_out_each_example_once_and_others_are_not() -> None:
    assert {name for name, kind in kinds().items() if kind.holds_out_each_once} == {"folds"}
    train = examples()
    twice = [(start_of(0), torch.ones(23).bool()), (start_of(1), torch.arange(23) == 2)]
    with pytest.raises(HeftError, match="training example 2 is held out by 2 of the models; expected one of them"):
        out_of_fold_probabilities(SPEC.build(0), twice, train.inputs, train.labels, N_CLASSES)


def test_no_mistake_is_seen_in_the_actions_that_there_are() -> None:
    assert {name: find("curation", name).fields["needs"] for name in ("remove", "relabel", "reweight")} == {
        "remove": (), "relabel": ("folds",), "reweight": (),
    }  # fmt: skip
