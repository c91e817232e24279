"""Measures against scikit-learn and by hand, and the row that validation chooses by the objective of the measure."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from plain_training import N_CLASSES, SPEC, examples, plain_logits, start_of
from removal import REMOVE, removal_plan
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from torch import Tensor
from torch.nn.functional import cross_entropy
from workspace import ROOT

from heft.curation.plan import unpruned_plan
from heft.data.examples import Examples
from heft.errors import HeftError
from heft.evaluation.measuring import Judge, numbers_of
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant
from heft.own_module import MODULES_VARIABLE
from heft.registry import added_folder, declarations
from heft.workflow.planning.code import evaluation_files, scorer_files, stage_code
from heft.workflow.planning.plan import Plan, load_plan

SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())
FRACTIONS = [0.1, 0.2, 0.3, 0.4, 0.5]
OWN_MEASURE = """
@measure(title="Own", unit="", higher_is_better=False, chosen_by={chosen_by!r}, needs={needs!r})
def {name}(measured):
    return {value}
"""

OWN_JUDGE = """
from heft.evaluation.metrics.declare import measure
from heft.objectives.declare import objective
from heft.objectives.loss import loss

@measure(title="Share", unit="%", higher_is_better=True, chosen_by="judging:gain")
def share(measured, *, of: int = 0):
    return float((measured.test.logits.argmax(1) == of).double().mean())

@objective(title="Gain", formula="-loss")
def gain(model, state, batch):
    return -loss(model, state, batch)
"""


def uneven(split: Examples, *numbers: int) -> Examples:
    """The first examples of each given label, as many as said."""
    rows = torch.cat([(split.labels == label).nonzero()[:n, 0] for label, n in enumerate(numbers)])
    given = {name: getattr(split, name)[rows] for name in ("inputs", "labels", "true_labels")}
    return replace(split, ids=split.ids[rows.numpy()], **given)


SPLITS = Splits(examples(30), uneven(examples(90, 1, "v"), 18, 5, 2), uneven(examples(90, 2, "t"), 17, 3, 9))


@cache
def state(number: int) -> dict[str, Tensor]:
    return {name: 3 * tensor for name, tensor in start_of(7 + number).items()}


def macro_loss_by_hand(number: int, split: Examples) -> float:
    losses = cross_entropy(plain_logits(list(state(number).values()), split.inputs), split.labels, reduction="none")
    return float(np.mean([float(losses[split.labels == label].mean()) for label in range(N_CLASSES)]))


def loss_by_hand(number: int, split: Examples) -> float:
    return float(cross_entropy(plain_logits(list(state(number).values()), split.inputs), split.labels))


def evaluated(**changes: Any) -> dict[str, Any]:
    """Five removals, the row of state number k at fraction k."""
    train = SPLITS.train
    table = pd.DataFrame({"id": train.ids, "label": train.labels, "true_label": train.true_labels})
    scores = pd.DataFrame({"id": train.ids, "score": np.arange(len(train))})
    states = {f"remove-{f}/{name}": tensor for k, f in enumerate(FRACTIONS) for name, tensor in state(k).items()}
    given = {"plan": removal_plan(table, scores, FRACTIONS, seed=0), "scores": scores, "states": states}
    given["actions"] = REMOVE
    who = changes.pop("who", Evaluated("mine", 0, "ip", "ip"))
    return evaluate_variant(who, SPEC.build(0), splits=SPLITS, cost={}, **(given | changes))


def long_form(found: dict[str, Any]) -> pd.Series:
    return pd.DataFrame(found["long"]).set_index(["metric", "fraction"])["value"]


def test_measures_are_scikit_learns_in_the_column_of_their_name_or_in_the_long_form() -> None:
    found = evaluated()
    for number, (fraction, row) in enumerate(zip(FRACTIONS, found["rows"], strict=True)):
        predicted = plain_logits(list(state(number).values()), SPLITS.test.inputs).argmax(1)
        balanced = balanced_accuracy_score(SPLITS.test.labels, predicted)
        assert long_form(found)["balanced_accuracy", fraction] == pytest.approx(balanced)
        assert row["test_accuracy"] == pytest.approx(accuracy_score(SPLITS.test.labels, predicted))
        assert balanced != pytest.approx(row["test_accuracy"])
    assert "test_accuracy" not in long_form(found).index.get_level_values("metric")


def test_each_objective_but_the_loss_is_told_of_the_validation_split() -> None:
    found = long_form(evaluated())
    for number, fraction in enumerate(FRACTIONS):
        expected = macro_loss_by_hand(number, SPLITS.validation)
        assert found["validation_macro_loss", fraction] == pytest.approx(expected, rel=1e-5)
    assert "validation_loss" not in found.index.get_level_values("metric")


def test_the_chosen_row_has_the_lowest_value_of_the_objective_that_the_measure_names() -> None:
    by = [loss_by_hand, macro_loss_by_hand, macro_loss_by_hand]
    asked = zip(by, [SPLITS.validation, SPLITS.validation, SPLITS.test], strict=True)
    by_loss, by_macro, by_test = (int(np.argmin([value(k, split) for k in range(5)])) for value, split in asked)
    assert len({by_loss, by_macro, by_test}) == 3
    assert [row["chosen"] for row in evaluated()["rows"]] == [k == by_loss for k in range(5)]
    found = evaluated(judge=Judge("balanced_accuracy"))["rows"]
    assert [row["chosen"] for row in found] == [k == by_macro for k in range(5)]
    columns = set(found[0]) - {"chosen"}  # the numbers do not depend on who judges
    assert [{k: row[k] for k in columns} for row in found] == [
        {k: row[k] for k in columns} for row in evaluated()["rows"]
    ]


def test_of_equal_values_the_first_row_is_chosen_and_of_a_model_that_diverged_nothing_is_measured() -> None:
    states = {f"remove-{f}/{name}": tensor for f in FRACTIONS for name, tensor in state(0).items()}
    lost = {name: tensor * torch.nan for name, tensor in states.items() if name.startswith("remove-0.1/")}
    found = evaluated(states=states | lost, judge=Judge("balanced_accuracy"))
    assert [row["chosen"] for row in found["rows"]] == [False, True, False, False, False]
    assert (found["rows"][0]["test_accuracy"], found["rows"][0]["val_loss"]) == ("", "")
    assert {metric for metric, f in long_form(found).index if f == 0.1 and not metric.startswith("noise")} == {
        "diverged"
    }


def test_validation_is_silent_of_a_model_that_was_trained_on_it() -> None:
    train = SPLITS.train
    plan = unpruned_plan(pd.DataFrame({"id": train.ids, "label": train.labels}))
    for trains, told in ((True, False), (False, True)):
        who = Evaluated("mine", 0, "finetuned", "finetuned", trains_on_validation=trains)
        found = evaluated(who=who, plan=plan, states={f"unpruned-0/{n}": t for n, t in state(0).items()}, scores=None)
        assert ("validation_macro_loss" in long_form(found).index.get_level_values("metric")) is told
        assert (found["rows"][0]["val_loss"] != "") is told


def write_measure(folder: Path, name: str, **declared: object) -> None:
    defaults = {"chosen_by": "loss", "needs": (), "value": "0.5"}
    (folder / f"{name}.py").write_text(
        "from heft.evaluation.metrics.declare import measure\n" + OWN_MEASURE.format(name=name, **(defaults | declared))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A further folder of measures."""
    with added_folder("evaluation/metrics", tmp_path):
        yield tmp_path


def planned(**settings: object) -> Plan:
    definition = {"methods": ["ip", "loss"], "ensembles": [], "baselines": [], **settings}
    return load_plan({**SHIPPED, "experiments": ["a"], "definitions": {"a": definition}}, [ROOT / "config.yaml"])


def test_a_measure_of_groups_is_left_out_where_there_are_none_and_cannot_judge(folder: Path) -> None:
    write_measure(folder, "of_groups", needs=("groups",), value="float(measured.test.groups.sum())")
    model, splits = SPEC.build(0), (SPLITS.train, SPLITS.validation, SPLITS.test)
    assert "of_groups" not in numbers_of(model, state(0), *splits).long
    grouped = [replace(split, groups=torch.ones(len(split), dtype=torch.int64)) for split in splits]
    assert numbers_of(model, state(0), *grouped).long["of_groups"] == len(SPLITS.test)
    Judge("of_groups").check(has_groups=True)
    with pytest.raises(
        HeftError, match="judged by of_groups, but the measure of_groups needs the group of each example"
    ):
        evaluated(judge=Judge("of_groups"))


def test_a_measure_that_is_not_finite_or_names_no_objective_is_a_sentence(folder: Path) -> None:
    write_measure(folder, "lost", value="float('nan')", chosen_by="macro_los")
    with pytest.raises(HeftError, match="The measure lost of a model whose loss is finite is nan; it must be a finite"):
        evaluated()
    sentence = 'definitions.a.measure is "lost", which validation cannot choose by: objective "macro_los" is not known'
    with pytest.raises(HeftError, match=f'{sentence}; did you mean "macro_loss"'):
        planned(measure="lost")
    (folder / "lost.py").write_text("@measure(\n")
    with pytest.raises(HeftError, match=r"definitions.a cannot run: .*lost.py, line 1 cannot be read"):
        planned()  # whatever an experiment is judged by, all measures are written
    write_measure(folder, "lost", needs=("group",))
    with pytest.raises(HeftError, match=r'lost.py, line 3: needs has "group"; did you mean "groups"?'):
        planned()


def test_a_persons_own_measure_and_objective_judge_by_import_path_with_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    (tmp_path / "judging.py").write_text(OWN_JUDGE)
    judge = Judge("judging:share", {"of": 2})
    found = evaluated(judge=judge)
    for number, fraction in enumerate(FRACTIONS):
        predicted = plain_logits(list(state(number).values()), SPLITS.test.inputs).argmax(1)
        assert long_form(found)["judging:share", fraction] == pytest.approx(float((predicted == 2).double().mean()))
    highest = int(np.argmax([loss_by_hand(k, SPLITS.validation) for k in range(5)]))
    assert [row["chosen"] for row in found["rows"]] == [k == highest for k in range(5)]


def test_a_job_runs_the_objective_that_its_method_looks_at_and_evaluation_all_of_them() -> None:
    plan = planned(objective="macro_loss", measure="balanced_accuracy")
    modules = {
        method: set(stage_code(plan, "a", "score_members", *scorer_files(plan, "a", method), model=True))
        for method in ("ip", "loss")
    }
    assert {f"heft.objectives.{name}" for name in ("loss", "macro_loss")} & modules["ip"] == {
        "heft.objectives.macro_loss"
    }
    assert plan.objective("a", "ip") == {"name": "macro_loss", "options": {}}
    assert plan.objective("a", "loss") == {}
    assert not [name for name in modules["loss"] if name.startswith("heft.objectives.macro")]
    evaluate = stage_code(plan, "a", "evaluate", *evaluation_files(plan, "a"), model=True)
    assert {f"heft.objectives.{name}" for name in declarations("objectives")} <= set(evaluate)
    assert {f"heft.evaluation.metrics.{name}" for name in declarations("evaluation/metrics")} <= set(evaluate)
    assert plan.measure("a") == {"name": "balanced_accuracy", "options": {}}


def test_each_measure_says_what_the_page_on_it_asks_for_and_is_chosen_by_a_registered_objective() -> None:
    for name, declared in declarations("evaluation/metrics").items():
        assert {"title", "unit", "higher_is_better", "chosen_by"} <= set(declared.fields), name
        assert declared.fields["chosen_by"] in declarations("objectives"), name
    for name, declared in declarations("objectives").items():
        assert {"title", "formula"} <= set(declared.fields), name
