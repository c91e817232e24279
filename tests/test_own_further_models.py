"""A person's own kind of further models, and own modality, beside the configuration: named by its import path."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from attribution_cases import make_case
from own_files import planned, settings
from own_further_files import write_files
from workspace import Workspace

import heft
from heft.auxiliary.kinds import kind_named
from heft.errors import HeftError
from heft.own_module import MODULES_VARIABLE
from heft.registry import find
from heft.reporting.tables.legend import in_words
from heft.workflow.housekeeping.unplanned import Planned, planned_names
from heft.workflow.planning import paths
from heft.workflow.planning.auxiliary import files_of, groups_of
from heft.workflow.planning.code import kind_files, scorer_files, source_files, stage_code

MINE, BAGS, BAGGED = "my_scores:out_of_bag", "my_kinds:Bags", "my_members:bagged"
ENSEMBLES = [{"kind": "seeds", "sizes": [2], "methods": [MINE]}]
DATA = {"source": "my_source:load", "train": 60, "validation": 30, "test": 40}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    return tmp_path


def test_a_need_that_is_an_import_path_plans_the_models_of_that_kind(folder: Path) -> None:
    plan = planned(folder, methods=["random", MINE, {MINE: {"bags": 5}}], ensembles=ENSEMBLES, actions=["remove"])
    experiment = plan.experiments["small"]
    groups = {scorer: groups_of(experiment, scorer) for scorer in experiment.scorers}
    mine = "my-scores-out-of-bag"
    assert groups[mine] == {BAGS: [0, 1]}
    assert groups[f"{mine}-bags_5__seeds"] == {BAGS: [0, 1, 2, 3, 4]}
    folder_of = "results/small/seed0/auxiliary/my_kinds.Bags/group1"
    assert files_of({BAGS: [1]}, "small", "0") == [f"{folder_of}/{name}" for name in paths.STATES]
    assert paths.kind_of(Path(folder_of)) == BAGS
    told = Planned(planned_names(plan), ["results/{e}/seed{s}/auxiliary/{kind}/group{g}/states.safetensors"])
    assert [told.of_file(f"{folder_of[:-1]}{group}/states.safetensors") for group in (4, 5)] == [
        "", "small, my_kinds.Bags group 5",
    ]  # fmt: skip
    assert told.of_run("small/seed0/auxiliary/my_kinds.Bags group5") == "small, my_kinds.Bags group 5"


def test_an_action_may_need_a_kind_of_ones_own(folder: Path) -> None:
    plan = planned(folder, actions=["my_actions:unbag"])
    file = "results/small/seed0/out_of_fold/my_kinds.Bags/models4/probabilities.parquet"
    assert plan.held_out(paths.OUT_OF_FOLD, "small", "random", "0") == {"my-actions-unbag": {BAGS: file}}
    assert file in plan.results


def test_its_need_is_its_import_path_and_its_words_are_in_the_legend(folder: Path) -> None:
    assert kind_named(BAGS).need == BAGS
    assert in_words(["final", BAGS]) == ["final parameters", "models of bags, as I draw them"]


def test_members_of_an_ensemble_of_ones_own_are_models_of_ones_own_kind(folder: Path) -> None:
    bagged = {"kind": BAGGED, "sizes": [2, 4], "methods": ["ip"]}
    experiment = planned(folder, methods=["random", "ip"], ensembles=[bagged]).experiments["small"]
    assert groups_of(experiment, "ip__my-members-bagged") == {BAGS: [0, 1]}


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("tracin", f"tracin needs spaced states, which {BAGS}, the kind of the members, does not keep; add them to"),
        ("trusted_loss", f"trusted_loss needs fine_tunes, which continue seeds, but the members are {BAGS}; leave the"),
    ],
)
def test_what_its_members_do_not_have_is_one_sentence_before_any_job(folder: Path, method: str, sentence: str) -> None:
    bagged = {"kind": BAGGED, "sizes": [2], "methods": [method]}
    with pytest.raises(HeftError, match=rf"\.ensembles \({BAGGED}\): method {sentence}"):
        planned(folder, methods=["random", method], ensembles=[bagged])


MISTAKES = [
    (
        "my_scores",
        '"my_kinds:Bags",',
        '"my_kind:Bags",',
        'needs has "my_kind:Bags": auxiliary "my_kind:Bags" cannot be f',
    ),
    ("my_scores", '"my_kinds:Bags",', '"my_kinds:Bag",', "my_kinds.py has no Bag; it has: Bags, Undecorated"),
    ("my_scores", '"my_kinds:Bags",', '"my_kinds:Undecorated",', "Undecorated must carry @auxiliary(...)"),
    ("my_scores", "bags: int", "number: int", f"methods: method {MINE} needs {BAGS}, but has no option bags"),
    ("my_kinds", 'models="bags"', 'need="bags", models="bags"', 'my_kinds.py, line 12: need is "bags"; leave it out'),
    ("my_kinds", "import torch", "import torch torch", "my_kinds.py, line 3 cannot be read: invalid syntax"),
    ("my_draws", "import torch", "import torch torch", "my_draws.py, line 1 cannot be read: invalid syntax"),
]


@pytest.mark.parametrize(("file", "old", "new", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence_before_any_job(folder: Path, file: str, old: str, new: str, sentence: str) -> None:
    path = folder / f"{file}.py"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(HeftError) as caught:
        planned(folder, methods=["random", MINE])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_files_of_a_kind_and_of_a_modality_are_in_the_fingerprints(folder: Path) -> None:
    plan = planned(folder, methods=["random", MINE], data=DATA)
    mine, other = (
        stage_code(plan, "small", "score_members", *scorer_files(plan, "small", scorer))
        for scorer in ("my-scores-out-of-bag", "random")
    )
    assert {"my_scores.py", "my_kinds.py", "my_draws"} <= set(mine)
    assert not {"my_kinds.py", "my_draws"} & set(other)
    assert {"my_kinds.py", "my_draws"} <= set(stage_code(plan, "small", "auxiliary", *kind_files(BAGS)))
    assert {"my_source.py", "my_modality"} <= set(stage_code(plan, "small", "prepare", *source_files(plan, "small")))


def test_the_library_takes_models_of_ones_own_kind_by_its_import_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(folder))
    case = make_case("mlp")
    train = (case.train.inputs, case.train.labels)
    held = torch.arange(len(case.train.labels)) % 2 == 0
    models = [(case.model.state_dict(), held), (case.model.state_dict(), ~held)]
    with pytest.raises(HeftError, match=f"Method {MINE} needs {BAGS}: models of bags, as I draw them"):
        heft.score(MINE, case.model, train)
    scores = heft.score(MINE, case.model, train, bags=2, **{BAGS: models})
    torch.testing.assert_close(scores, case.model(case.train.inputs).var(1).double().detach(), rtol=1e-5, atol=1e-6)
    assert find("methods", MINE).fields["needs"] == (BAGS,)


@pytest.mark.slow
def test_they_run_to_the_report_and_an_edit_trains_them_again(tmp_path: Path) -> None:
    ensembles = [*ENSEMBLES, {"kind": BAGGED, "sizes": [3], "methods": ["loss", MINE]}]
    actions = ["remove", "my_actions:unbag"]
    changed = settings(data=DATA, methods=["random", "loss", MINE], ensembles=ensembles, actions=actions, model="mlp")
    workspace = Workspace(tmp_path, changed)
    write_files(tmp_path)
    workspace.run()
    rows = pd.read_csv(tmp_path / "reports/small/comparison.csv")
    members = {f"{name}__my-members-bagged__3" for name in ("loss", "my-scores-out-of-bag")}
    assert set(rows["variant"]) >= {"my-scores-out-of-bag", "my-scores-out-of-bag__seeds__2", *members}
    treated = rows[rows["action"].notna() & (rows["variant"] == "random")].set_index("action")
    assert treated["n_removed"].nunique() == 1
    assert treated.loc["my-actions-unbag", "retrain_cpu_seconds"] > treated.loc["remove", "retrain_cpu_seconds"]
    page = (tmp_path / "reports/small/index.html").read_text(encoding="utf-8")
    assert all(text in page for text in ("models of bags, as I draw them", "of my spectrum"))
    assert workspace.plan() == []
    workspace.edit("my_draws.py", "number % 2", "(number + 1) % 2")
    assert {"auxiliary", "out_of_fold", "score_members"} <= {job.rule for job in workspace.plan()}
    workspace.edit("my_draws.py", "(number + 1) % 2", "number % 2")
    workspace.edit("my_modality.py", "rows * 2", "rows * 3")
    assert "prepare" in {job.rule for job in workspace.plan()}
