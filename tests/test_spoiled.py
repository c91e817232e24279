"""A file of a person's own that fails spoils only the experiments that use it, also without --keep-going."""

import copy
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from workspace import TINY, Workspace

from heft.workflow.runtime.spoiled import GoOnWithOthers

METHODS = "workflow_scripts/heft/methods"


def three_experiments() -> dict[str, object]:
    settings = copy.deepcopy(TINY)
    small = settings["definitions"]["small"]
    settings["definitions"]["prints"] = {**small, "model": "my_models:build"}
    settings["definitions"]["half"] = {**small, "methods": ["random", "unfinished"]}
    settings["experiments"] = ["prints", "half", "small"]
    return settings


@pytest.mark.slow
def test_other_experiments_are_reported_and_the_run_fails_with_a_sentence_of_each(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, three_experiments())
    (tmp_path / "my_models.py").write_text(
        "import sys\nprint('loaded')\nsys.exit(2)\ndef build(input_shape, n_classes): ...\n"
    )
    (tmp_path / METHODS / "unfinished.py").write_text("@method(\n")
    printed = workspace.run(expect=1)
    said = f"({tmp_path}/my_models.py, line 3)"
    assert (
        f'check_model: model "my_models:build" cannot be imported: it ends the process by sys.exit(2) {said}' in printed
    )
    assert (
        f"small.yaml: definitions.half cannot run: {tmp_path / METHODS}/unfinished.py, line 1 cannot be read: "
        in printed
    )
    assert (tmp_path / "reports/small/index.html").is_file()
    assert (tmp_path / "results/small/report.record.jsonl").is_file()
    assert not (tmp_path / "results/prints/seed0/train").exists()
    assert "Traceback" not in printed
    assert "cannot be imported" in (tmp_path / "logs/prints/check_model.log").read_text()
    assert {job.rule for job in workspace.plan("--config", "experiments=[small]")} == set()


@pytest.mark.slow
def test_a_configuration_that_uses_nothing_but_a_half_written_file_stops_at_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, {**three_experiments(), "experiments": ["half"]})
    (tmp_path / METHODS / "unfinished.py").write_text("def unfinished(context):\n    return (\n")
    printed = workspace.run("-n", expect=1)
    assert printed.strip().splitlines()[-1].startswith("small.yaml: definitions.half cannot run: ")
    assert "Traceback" not in printed


def failed(rule: str) -> logging.LogRecord:
    return logging.makeLogRecord({"event": "job_error", "rule_name": rule})


def test_a_run_goes_on_after_a_spoiled_experiment_and_not_after_another_fault() -> None:
    scheduler = SimpleNamespace(keepgoing=False)
    handler = GoOnWithOthers(scheduler)
    handler.emit(failed("check_model"))
    assert scheduler.keepgoing
    handler.emit(failed("unreadable"))
    assert scheduler.keepgoing
    handler.emit(failed("retrain"))
    assert not scheduler.keepgoing


def test_a_person_who_asks_to_keep_going_gets_it_after_any_fault() -> None:
    scheduler = SimpleNamespace(keepgoing=True)
    GoOnWithOthers(scheduler).emit(failed("retrain"))
    assert scheduler.keepgoing
