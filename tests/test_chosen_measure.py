"""An experiment is judged by the measure that it names, registered or a person's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from axis_files import NEW
from measure_cases import FRACTIONS, SPLITS, evaluated, long_form, loss_by_hand, state
from plain_training import SPEC, plain_logits
from workspace import ROOT

from heft.errors import HeftError
from heft.evaluation.measuring import Judge, numbers_of
from heft.own_module import MODULES_VARIABLE
from heft.registry import added_folder, declarations
from heft.workflow.planning.code import evaluation_files, scorer_files, stage_code
from heft.workflow.planning.plan import Plan, load_plan

SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())


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
    result = evaluated(judge=judge)
    for number, fraction in enumerate(FRACTIONS):
        predicted = plain_logits(list(state(number).values()), SPLITS.test.inputs).argmax(1)
        assert long_form(result)["judging:share", fraction] == pytest.approx(float((predicted == 2).double().mean()))
    highest = int(np.argmax([loss_by_hand(k, SPLITS.validation) for k in range(5)]))
    assert [row["chosen"] for row in result["rows"]] == [k == highest for k in range(5)]


def test_the_experiments_objective_is_measured_and_chooses_with_the_experiments_options(tmp_path: Path) -> None:
    name, text, _ = NEW["objectives"]
    (tmp_path / f"{name}.py").write_text(text)
    with added_folder("objectives", tmp_path):
        asked = planned(objective={name: {"smoothing": 0.4}}).measure("a")
        assert asked["objectives"] == {name: {"smoothing": 0.4}}
        assert planned(objective=name).measure("a")["objectives"] == {}
        told, default = long_form(evaluated(judge=Judge(**asked))), long_form(evaluated())
    for number, fraction in enumerate(FRACTIONS):
        log = plain_logits(list(state(number).values()), SPLITS.validation.inputs).double().log_softmax(1)
        of_label, of_all = log.gather(1, SPLITS.validation.labels[:, None]).mean(), log.mean()
        for numbers, smoothing in ((told, 0.4), (default, 0.1)):
            expected = -(1 - smoothing) * of_label - smoothing * of_all
            assert numbers[f"validation_{name}", fraction] == pytest.approx(float(expected), rel=1e-5)
        assert told["validation_macro_loss", fraction] == default["validation_macro_loss", fraction]


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
    assert plan.measure("a") == {"name": "balanced_accuracy", "options": {}, "objectives": {}}


def test_each_measure_says_what_the_page_on_it_asks_for_and_is_chosen_by_a_registered_objective() -> None:
    measures = declarations("evaluation/metrics")
    assert measures
    for name, declared in measures.items():
        assert {"title", "unit", "higher_is_better", "chosen_by"} <= set(declared.fields), name
        assert declared.fields["chosen_by"] in declarations("objectives"), name
    for name, declared in declarations("objectives").items():
        assert {"title", "formula"} <= set(declared.fields), name
