"""The disk space that a run takes is estimated before it starts."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from workspace import ROOT, SMALL, TINY, Workspace

from heft.data.prepare import prepare
from heft.errors import HeftError
from heft.registry import Declaration, declarations
from heft.workflow.planning import disk_space
from heft.workflow.planning.disk_space import (
    bytes_of,
    check_disk_space,
    declared_size,
    lasting_states,
    model_bytes,
    needed_bytes,
)
from heft.workflow.planning.plan import Plan, load_plan


def plan_of(**changes: Any) -> Plan:
    """The plan of the default configuration with the small experiment in it, changed."""
    raw = yaml.safe_load((ROOT / "config.yaml").read_text())
    small = copy.deepcopy(SMALL["definitions"]["small"]) | changes  # type: ignore[index]
    return load_plan({**raw, "experiments": ["small"], "definitions": {"small": small}}, [])


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The free space that the disk tells of; settable. No model is built for its size."""
    told = SimpleNamespace(free=0)
    monkeypatch.setattr(disk_space, "model_bytes", lambda asked: [1000 for _ in asked])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: told)
    return told


def test_too_little_is_one_sentence_that_says_how_much_and_where(tmp_path: Path, free: SimpleNamespace) -> None:
    with pytest.raises(HeftError) as caught:
        check_disk_space(plan_of(), 2, tmp_path)
    said = str(caught.value)
    assert said.startswith("Disk space: the files of this run take about ")
    assert "(small " in said
    assert f"0 MB are free in {tmp_path}" in said
    assert "\n" not in said


def test_the_check_can_be_switched_off(tmp_path: Path, free: SimpleNamespace) -> None:
    plan = plan_of()
    with pytest.raises(HeftError, match="Disk space"):
        check_disk_space(plan, 2, tmp_path)
    unchecked = plan.configuration.model_copy(update={"check_disk_space": False})
    check_disk_space(replace(plan, configuration=unchecked), 2, tmp_path)


def test_enough_says_nothing(tmp_path: Path, free: SimpleNamespace, capfd: pytest.CaptureFixture[str]) -> None:
    free.free = 10**12
    check_disk_space(plan_of(), 2, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_finished_experiment_needs_nothing_and_what_is_there_counts(tmp_path: Path, free: SimpleNamespace) -> None:
    needed = needed_bytes(plan_of(), "small", declared_size(plan_of(), "small") or {}, 1000, 2)
    there = tmp_path / "results/small/data/inputs.safetensors"
    there.parent.mkdir(parents=True)
    there.write_bytes(bytes(1_000_000))
    free.free = needed - 1_000_000
    check_disk_space(plan_of(), 2, tmp_path)
    free.free -= 1
    with pytest.raises(HeftError, match="Disk space"):
        check_disk_space(plan_of(), 2, tmp_path)
    (tmp_path / "results/small/report.record.jsonl").touch()
    check_disk_space(plan_of(), 2, tmp_path)


def test_states_are_counted_by_what_methods_and_ensembles_ask_for() -> None:
    plain = lasting_states(plan_of(methods=["loss"], ensembles=[], baselines=[]), "small")
    assert plain == 7  # two spaced, two early, final, best and last, of six epochs and the initial state
    folds = lasting_states(plan_of(methods=["loss", "confident_learning"], ensembles=[], baselines=[]), "small")
    assert folds == plain + 5
    seeds = [{"kind": "seeds", "sizes": [3], "methods": ["loss"]}]
    assert lasting_states(plan_of(methods=["loss"], ensembles=seeds, baselines=[]), "small") >= plain + 2 * 7


@pytest.mark.slow
def test_the_size_of_a_model_is_that_of_its_parameters_and_buffers() -> None:
    shape: dict[str, Any] = {"input_shape": [1, 8, 8], "n_classes": 10}
    logistic = {"name": "logistic", "options": {}, **shape}
    batch_norm = {"name": "resnet18", "options": {"width": 4, "norm": "batch"}, **shape}
    sizes = model_bytes([logistic, batch_norm])
    assert sizes[0] == 4 * (64 + 1) * 10
    assert sizes[1] > 4 * 40_000
    with pytest.raises(HeftError, match="resnet18: norm is"):
        model_bytes([{**batch_norm, "options": {"norm": "x"}}])


@pytest.mark.slow
def test_a_model_that_prints_or_takes_the_process_with_it_leaves_the_sizes_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_size.py").write_text(
        "import os\nfrom torch import nn\nprint('imported')\nos.system('echo from a shell')\n"
        "def build(input_shape, n_classes):\n    return nn.Sequential(nn.Flatten(), nn.Linear(4, n_classes))\n"
        "def leave(input_shape, n_classes):\n    os._exit(0)\n"
        "def fail(input_shape, n_classes):\n    raise SystemExit\n"
    )
    asked = [
        {"name": f"own_size:{function}", "options": {}, "input_shape": [1, 2, 2], "n_classes": 3}
        for function in ("build", "fail", "leave")
    ]
    assert model_bytes(asked) == [4 * (4 + 1) * 3, None, None]


OF_A_PERSON = {name for name, declared in declarations("data/sources").items() if declared.fields["paths"]}


@pytest.mark.parametrize("name", sorted({*declarations("data/sources")} - {"fashion_mnist"} - OF_A_PERSON))
def test_sources_but_those_of_a_persons_own_files_declare_their_size(name: str, tmp_path: Path) -> None:
    assert set(declarations("data/sources")[name].fields["size"]) == {"n", "input_shape", "n_classes"}
    prepare(name, None, tmp_path)  # which compares it with what is read


def test_a_wrong_declared_size_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = declarations("data/sources")["digits"]
    size = {**digits.fields["size"], "n": 5}
    wrong = Declaration(**{**vars(digits), "fields": {**digits.fields, "size": size}})
    monkeypatch.setattr("heft.data.prepare.find", lambda room, name: wrong)
    with pytest.raises(HeftError, match=r"Data source digits: its size is declared as .*'n': 5"):
        prepare("digits", None, tmp_path)


@pytest.mark.slow
def test_a_run_stays_below_the_estimate_and_starts_no_job_without_the_space(tmp_path: Path) -> None:
    settings = copy.deepcopy(TINY)
    definition: dict[str, Any] = settings["definitions"]["small"]  # type: ignore[index]
    definition |= {"model": {"mlp": {"hidden": [1500]}}, "methods": ["random", "confident_learning"]}
    workspace = Workspace(tmp_path, settings)
    workspace.edit("workflow_scripts/heft/workflow/planning/disk_space.py", "shutil.disk_usage(folder).free", "0")
    printed = workspace.run(expect=1)
    assert "Disk space: the files of this run take about" in printed
    assert "Traceback" not in printed
    assert [*(tmp_path / "results").rglob("*")] == []
    workspace.edit(
        "workflow_scripts/heft/workflow/planning/disk_space.py", ", 0\n", ", shutil.disk_usage(folder).free\n"
    )
    workspace.run()

    raw = yaml.safe_load((ROOT / "config.yaml").read_text())
    plan = load_plan({**raw, **settings}, [])
    data = declared_size(plan, "small") or {}
    (state_bytes,) = model_bytes([{**plan.model("small"), "input_shape": [1, 8, 8], "n_classes": 10}])
    needed, taken = needed_bytes(plan, "small", data, state_bytes, 2), bytes_of(tmp_path / "results/small")
    assert taken < needed < 3 * taken
