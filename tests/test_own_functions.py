"""A person's own `package.module:function` beside the configuration stands wherever a registered name does."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from attribution_cases import make_case
from own_files import planned, settings, write_files
from workspace import Workspace

from heft.errors import HeftError
from heft.objectives.loss import loss
from heft.own_module import MODULES_VARIABLE
from heft.registry import find
from heft.scoring.members import score_members
from heft.variants import Scorer, twice
from heft.workflow.planning.code import scorer_files, stage_code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    return tmp_path


def test_its_declaration_is_read_from_its_file(folder: Path) -> None:
    declared = find("methods", "my_package.scores:norms")
    assert (declared.file, declared.defined) == (folder / "my_package/scores.py", "norms")
    assert declared.fields["needs"] == ("final",)
    assert declared.options["power"].allowed == {"type": "number", "exclusiveMinimum": 0}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (
        {"methods": ["random", {"my_package.scores:norms": {"power": 0}}]},
        "mine.yaml: definitions.small.methods[1].my_package.scores:norms.power is 0; it must be above 0",
    ),
    (
        {"methods": [{"my_package.scores:norms": {"power": [1, "x"]}}]},
        'methods[0].my_package.scores:norms.power is "x"; it must be a number',
    ),
    (
        {"methods": [{"my_package.scores:norms": {"powr": 2}}]},
        'methods[0].my_package.scores:norms.powr is not an option; did you mean "power"? Known: power',
    ),
    (
        {"methods": ["my_package.score:norms"]},
        'methods[0] is "my_package.score:norms"; no such module beside the configuration or in the project',
    ),
    ({"baselines": ["my_baseline:unchanged"]}, 'baselines[0] is "my_baseline:unchanged"; no such module'),
    (
        {"ensembles": [{"kind": "my_kinds:scaled", "sizes": [2], "rate": 0}], "methods": ["ip"]},
        "mine.yaml: definitions.small.ensembles[0].rate is 0; it must be above 0",
    ),
    (
        {"ensembles": [{"kind": "my_kinds:scaled", "sizes": [2], "rates": 1}], "methods": ["ip"]},
        'ensembles[0].rates is not an option; did you mean "rate"?',
    ),
    (
        {"ensembles": [{"kind": "my_kind:scaled", "sizes": [2]}], "methods": ["ip"]},
        'ensembles[0].kind is "my_kind:scaled"; no such module beside',
    ),
    (
        {"methods": ["my_package.scores:norm"]},
        "cannot run: {folder}/my_package/scores.py has no norm; it has: norms, plain",
    ),
    (
        {"methods": ["my_package.scores:plain"]},
        "cannot run: {folder}/my_package/scores.py, line 27: plain must carry @method(...)",
    ),
    (
        {"baselines": ["my_package.scores:norms"]},
        "cannot run: {folder}/my_package/scores.py, line 22: norms must carry @baseline(...)",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), MISTAKES)
def test_a_mistake_with_one_is_one_sentence_before_any_job(
    folder: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HeftError) as caught:
        planned(folder, **changes)
    assert sentence.replace("{folder}", str(folder)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_ones_own_needs_no_types_and_those_it_has_are_checked(folder: Path) -> None:
    (folder / "my_nets.py").write_text(
        "def build(shape, n, depth, width: int = 3, kind: 'Kind' = None, *, norm=None): ...\n"
    )
    planned(folder, model={"my_nets:build": {"depth": 1, "width": 4, "kind": "any", "norm": 2.5}})
    with pytest.raises(HeftError, match=r"model.my_nets:build.width is 2.5; it must be a whole number"):
        planned(folder, model={"my_nets:build": {"depth": 1, "width": 2.5}})
    with pytest.raises(HeftError, match=r"model.my_nets:build.depth is missing; my_nets:build has no default for it"):
        planned(folder, model="my_nets:build")


def test_its_files_are_in_the_fingerprint_of_its_scores(folder: Path) -> None:
    plan = planned(folder, methods=["random", "my_package.scores:norms"])
    codes = {
        scorer: stage_code(plan, "small", "score_members", *scorer_files(plan, "small", scorer))
        for scorer in plan.experiments["small"].scorers
    }
    assert {"my_package/scores.py", "my_helpers"} <= set(codes["my-package.scores-norms"])
    assert "my_helpers" not in codes["random"]


def test_the_names_of_its_files_hold_letters_digits_and_dashes_and_a_clash_is_said() -> None:
    scorer = Scorer("my_package.scores:norms", {"power": 2.0})
    assert scorer.slug == "my-package.scores-norms-power_2"
    assert Scorer("ip", {}, "my_kinds:swap", {"rate": 1}).slug == "ip__my-kinds-swap-rate_1"
    said = twice([Scorer("a_b:c"), Scorer("ip"), Scorer("a:b_c")])
    assert said == "has a_b:c and a:b_c, whose files would both be named a-b-c; rename one, or leave it out"
    assert twice([Scorer("a:c"), Scorer("a:b")]) == ""
    again = Scorer("my_package.scores:norms", {"power": 2.0})
    assert twice([scorer, again]).startswith("names my-package.scores-norms-power_2 twice")


def test_the_library_scores_with_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    case = make_case("mlp")
    scored = score_members(
        "my_package.scores:norms",
        {"power": 2.0},
        "gaussian",
        2,
        model=case.model,
        trained=case.trained(),
        train=case.train,
        validation=case.validation,
        true_labels=None,
        n_classes=4,
        seed=0,
        objective=loss,
    )
    expected = case.model(case.train.inputs).norm(dim=1) ** 2
    assert scored.scores[:, 0] == pytest.approx(-expected.detach().numpy())
    assert (scored.scores[:, 1] != scored.scores[:, 0]).all()


@pytest.mark.slow
def test_own_methods_and_baselines_run_to_the_report_and_an_edit_runs_them_again(tmp_path: Path) -> None:
    methods = ["random", "my_package.scores:norms", {"my_package.scores:norms": {"power": 2.0}}]
    mine_alone = ["my_package.scores:norms"]
    ensembles = [
        {"kind": "parameter_dropout", "sizes": [2], "methods": mine_alone},
        {"kind": "my_kinds:scaled", "sizes": [2], "methods": mine_alone, "rate": 0.25},
    ]
    changed = settings(methods=methods, baselines=["my_baselines:unchanged"], ensembles=ensembles)
    workspace = Workspace(tmp_path, changed)
    write_files(tmp_path)
    workspace.run()
    rows = pd.read_csv(tmp_path / "reports/small/comparison.csv")
    mine = "my-package.scores-norms"
    assert set(rows["variant"]) == {
        *("none", "my-baselines-unchanged", "random", mine, f"{mine}-power_2"),
        *(f"{mine}__parameter_dropout__2", f"{mine}-power_2__parameter_dropout__2"),
        *(f"{mine}__my-kinds-scaled-rate_0.25__2", f"{mine}-power_2__my-kinds-scaled-rate_0.25__2"),
    }
    accuracy = rows.set_index("variant")["test_accuracy"]
    assert accuracy["my-baselines-unchanged"] == accuracy["none"]
    page = (tmp_path / "reports/small/index.html").read_text(encoding="utf-8")
    assert "How long the logits of an example are, as I see it." in page
    assert "Nothing at all, as I see it." in page
    assert ">My norm" in page
    assert workspace.plan() == []
    workspace.edit("my_helpers.py", "-1", "1")
    assert {job.variant for job in workspace.plan() if job.rule == "score_members"} == {
        *(mine, f"{mine}-power_2", f"{mine}__parameter_dropout", f"{mine}-power_2__parameter_dropout"),
        *(f"{mine}__my-kinds-scaled-rate_0.25", f"{mine}-power_2__my-kinds-scaled-rate_0.25"),
    }
    workspace.edit("my_helpers.py", "1", "-1")
    workspace.edit("my_kinds.py", "1 + number", "2 + number")
    assert {job.variant for job in workspace.plan() if job.rule == "score_members"} == {
        *(f"{mine}__my-kinds-scaled-rate_0.25", f"{mine}-power_2__my-kinds-scaled-rate_0.25"),
    }


def test_of_two_definitions_of_one_name_the_last_is_read_as_python_takes_it(folder: Path) -> None:
    file = folder / "my_package/scores.py"
    file.write_text(f"{file.read_text()}\n\n{file.read_text().replace('power', 'exponent')}")
    assert "exponent" in find("methods", "my_package.scores:norms").options
