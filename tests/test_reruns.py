"""Only what changed runs again: plans after edits, touches, changed settings and deleted files."""

import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_once import copy_of, finished_run
from planned import AFTER_SCORES, REPORT, add_a_line, put_back, rules_of, variants_of, with_change
from workspace import ROOT, SMALL, Workspace

pytestmark = pytest.mark.slow

# Files, what stands in them, and the same with other words.
COMMENTED = (
    ("heft/methods/ip.py", "return ", "# a comment\n    return "),
    ("heft/methods/ip.py", '"""ip: ', '"""ip: in other words, '),
    ("train.py", '"""train: ', '"""train: in other words, '),
    ("evaluate.py", "run_unrecorded(main", "# a comment\nrun_unrecorded(main"),
    ("heft/workflow/tracking/mlflow_store.py", '"""', '"""In other words: '),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which the small experiment has run once."""
    workspace, _ = finished_run(tmp_path_factory, "small")
    return copy_of(workspace, tmp_path_factory.mktemp("reruns") / "copy")


@pytest.fixture
def workspace(finished: Workspace) -> Iterator[Workspace]:
    """The finished workspace; files of the workflow that a test edits are put back."""
    with put_back(finished):
        yield finished


def test_nothing_changed_plans_nothing(workspace: Workspace) -> None:
    assert workspace.plan() == []


def test_an_edited_method_reruns_its_scores_and_what_hangs_on_them(workspace: Workspace) -> None:
    workspace.edit("workflow_scripts/heft/methods/ip.py", "return ", "return 2 * ")
    jobs = workspace.plan()
    assert rules_of(jobs) == {"score_members", *REPORT, *AFTER_SCORES}
    assert variants_of(jobs, {"score_members"}) == {"ip", "ip__parameter_dropout"}
    assert variants_of(jobs, AFTER_SCORES) == {"ip", "ip__parameter_dropout__2", "ip__parameter_dropout__3"}
    assert all("heft.methods.ip" in job.reason for job in jobs if job.rule == "score_members")


def test_an_edited_kernel_reruns_the_methods_that_import_it(workspace: Workspace) -> None:
    files = sorted((workspace.folder / "workflow_scripts/heft/kernels").rglob("*.py"))
    for file in files:
        # A training calls the model by `calling`; its dynamics are read from logits.
        if file.name not in ("__init__.py", "logits.py", "calling.py"):
            file.write_text(file.read_text() + "\n\nEDITED = True\n")
    jobs = workspace.plan()
    assert {"ip", "ip__parameter_dropout", "if_cg-damping_0.2"} <= variants_of(jobs, {"score_members"})
    assert "train" not in rules_of(jobs)


def test_an_edit_of_plumbing_of_sentences_and_of_comments_reruns_nothing(workspace: Workspace) -> None:
    rooms = ("configuration", "planning", "tracking", "tracking/records", "runtime", "housekeeping")
    plumbing = ["errors", "faults", "artifacts", "atomic_files", "checksum", "scoring/memory", "own_module"]
    plumbing += ["registry", "rooms", "declaration", "signatures", "annotations", "options", "phrases"]
    files = [*(f"workflow/{room}/*.py" for room in rooms), *(f"{name}.py" for name in plumbing), "workflow/*.py"]
    assert add_a_line(workspace, *files) > 40
    for file, old, new in COMMENTED:
        workspace.edit(f"workflow_scripts/{file}", old, new)
    assert workspace.plan() == []


def test_an_edit_of_what_reads_results_back_reruns_who_reads_them(workspace: Workspace) -> None:
    assert add_a_line(workspace, "workflow/results/*.py") == 6
    rules = rules_of(workspace.plan())
    assert {"score_members", "report"} <= rules
    assert not rules & {"prepare", "split", "train", "checkpoint", "auxiliary"}


def test_an_edited_baseline_reruns_it_alone(workspace: Workspace) -> None:
    workspace.edit("workflow_scripts/heft/baselines/finetuned.py", "return ", "EDITED = 1\n    return ")
    jobs = workspace.plan()
    assert rules_of(jobs) == {"baseline", "evaluate", *REPORT}
    assert variants_of(jobs, {"baseline", "evaluate"}) == {"finetuned"}


def test_a_touch_of_every_script_reruns_nothing(workspace: Workspace) -> None:
    for file in (workspace.folder / "workflow_scripts").rglob("*.py"):
        file.touch()
    for file in (workspace.folder / "rules").glob("*.smk"):
        file.touch()
    assert workspace.plan() == []


def test_a_switch_of_branches_and_back_reruns_nothing(workspace: Workspace) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=workspace.folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "workflow_scripts", "rules", "Snakefile")
    git("commit", "-qm", "state")
    git("checkout", "-qb", "other")
    workspace.edit("workflow_scripts/heft/methods/loss.py", "return ", "return 3 * ")
    workspace.edit("workflow_scripts/train.py", "run_stage(main", "EDITED = 1\nrun_stage(main")
    git("commit", "-qam", "edit")
    git("checkout", "-q", "main")
    shutil.rmtree(workspace.folder / ".git")
    assert workspace.plan() == []


def test_another_device_reruns_what_it_computes(workspace: Workspace) -> None:
    workspace.configure(with_change(device="auto"))
    rerun = {"check_model", "train", "checkpoint", "auxiliary", "score_members", "baseline", *AFTER_SCORES, *REPORT}
    assert rules_of(workspace.plan()) == rerun


def test_a_changed_option_reruns_that_method(workspace: Workspace) -> None:
    methods = ["random", "oracle", "loss", "ip", {"if_cg": {"damping": 0.3}}]
    workspace.configure(with_change(methods=methods))
    jobs = workspace.plan()
    assert variants_of(jobs, {"score_members", *AFTER_SCORES}) == {"if_cg-damping_0.3"}
    assert rules_of(jobs) == {"score_members", *REPORT, *AFTER_SCORES}


def test_a_further_ensemble_size_scores_that_scorer_again(workspace: Workspace) -> None:
    ensembles = copy.deepcopy(SMALL["definitions"]["small"]["ensembles"])
    ensembles[1]["sizes"] = [2, 3]
    workspace.configure(with_change(ensembles=ensembles))
    jobs = workspace.plan()
    assert variants_of(jobs, {"score_members"}) == {"loss__seeds"}
    assert "auxiliary" not in rules_of(jobs)


def test_a_changed_noise_rate_reruns_all_of_that_experiment(workspace: Workspace) -> None:
    data = copy.deepcopy(SMALL["definitions"]["small"]["data"])
    workspace.configure(with_change(data=data | {"noise": {"kind": "pairs", "rate": 0.2}}))
    jobs = workspace.plan()
    assert rules_of(jobs) >= {"split", "train", "checkpoint", "auxiliary", "score_members", *REPORT, *AFTER_SCORES}
    assert "prepare" not in rules_of(jobs)
    assert {job.wildcards["e"] for job in jobs if job.rule not in ("all", "index")} == {"small"}


def test_a_changed_experiment_leaves_the_other_alone(workspace: Workspace) -> None:
    settings = copy.deepcopy(SMALL)
    settings["definitions"]["other"]["data"]["noise"] = {"kind": "symmetric", "rate": 0.4}
    workspace.configure(settings)
    assert workspace.plan() == []


def test_a_changed_base_model_reruns_everything_but_the_data(workspace: Workspace) -> None:
    workspace.configure(with_change(model={"mlp": {"hidden": [16]}}))
    jobs = workspace.plan()
    trained = {"check_model", "train", "checkpoint", "auxiliary", "score_members", "baseline"}
    assert rules_of(jobs) == {*trained, *REPORT, *AFTER_SCORES}
    assert {job.variant for job in jobs if job.rule == "retrain"} >= {"none", "random", "ip"}


def test_a_deleted_result_comes_back_with_its_descendants(workspace: Workspace) -> None:
    file = workspace.folder / "results/small/seed0/scores/loss.parquet"
    aside = file.with_suffix(".aside")
    file.rename(aside)
    try:
        jobs = workspace.plan()
    finally:
        aside.rename(file)
    assert rules_of(jobs) == {*REPORT, *AFTER_SCORES}
    assert {(job.wildcards["s"], job.variant) for job in jobs if job.rule in AFTER_SCORES} == {("0", "loss")}


def test_an_edit_really_runs_and_then_nothing_is_left(finished: Workspace) -> None:
    comparison = finished.folder / "reports/small/comparison.csv"
    before = comparison.read_text()
    finished.edit("workflow_scripts/heft/methods/loss.py", "return ", "return 2 * ")
    printed = finished.run()
    assert "Report: reports/small/index.html" in printed
    assert "score_members" in printed
    assert " ip " not in printed
    assert finished.plan() == []
    without_cost = [line.rsplit(",", 4)[0] for line in before.splitlines()]
    assert [line.rsplit(",", 4)[0] for line in comparison.read_text().splitlines()] == without_cost


def test_a_deleted_report_really_comes_back_the_same(finished: Workspace) -> None:
    page = finished.folder / "reports/small/index.html"
    before = page.read_bytes()
    page.unlink()
    printed = finished.run()
    assert [line.split()[1] for line in printed.splitlines() if re.match(r"\d/\d ", line)] == ["report", "index", "all"]
    assert page.read_bytes() == before


def test_the_workspace_holds_no_machine_path(finished: Workspace) -> None:
    page = (finished.folder / "reports/small/index.html").read_text()
    places = (finished.folder, ROOT, sys.prefix, Path.home() / ".c")  # .cache and .config
    assert [place for place in places if str(place) in page] == []
