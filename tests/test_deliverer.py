"""What a run makes of its delivery: waited for within bounds, believed by its status, and told in one sentence."""

import os
from pathlib import Path

import pytest

from heft.workflow.identity import identity
from heft.workflow.places import STATE
from heft.workflow.tracking import deliverer
from heft.workflow.tracking.deliverer import FAILED, LATER, Deliverer, deliver_what_waits
from heft.workflow.tracking.records import RunRecord

AT_END = "import os, signal, sys, time; sys.stdin.read(); "
KILLED = "was killed (signal 9, SIGKILL): 1 record waits for sqlite:///mlflow.db; results and reports are complete"


@pytest.fixture(autouse=True)
def _in_project_with_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(deliverer, "SCRIPT", tmp_path / "deliver.py")
    identity()
    with RunRecord.start("results/e/record.jsonl", "e", "train", seed=0):
        pass


@pytest.mark.parametrize(
    ("ending", "status", "sentence"),
    [
        ("", 0, ""),
        (f"sys.exit({LATER})", 0, ""),
        (f"sys.exit({FAILED})", 1, ""),
        ("sys.exit(1)", 1, "ended with status 1: 1 record waits"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 1, KILLED),
        pytest.param(
            *("os.kill(os.getpid(), signal.SIGSTOP)", 1, "did not end within 5 s and was stopped: 1 record waits"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["all delivered", "the store is down", "refused", "a bug", "killed", "stopped"],
)
def test_a_delivery_that_failed_is_a_status_and_a_sentence(
    ending: str, status: int, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deliverer, "LONGEST_END_SECONDS", 5.0)
    deliverer.SCRIPT.write_text(AT_END + ending)
    running = Deliverer()
    assert capsys.readouterr().err == "1 record waits from earlier for the tracking store; this run sends them.\n"
    assert running.finish() == status
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == bool(sentence)


def test_what_waits_is_delivered_where_a_run_has_nothing_else_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    deliverer.SCRIPT.write_text("import sys; assert sys.argv[1:] == ['--once']")
    assert deliver_what_waits() == 0
    assert capsys.readouterr().err == "1 record waits for the tracking store; they are sent now.\n"
    deliverer.SCRIPT.write_text(f"import sys; sys.exit({LATER})")
    assert deliver_what_waits() == 0
    deliverer.SCRIPT.write_text(f"import sys; sys.exit({FAILED})")
    assert deliver_what_waits() == 1


def test_where_nothing_waits_no_process_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    os.remove("results/e/record.jsonl")
    assert deliver_what_waits() == 0
    assert capsys.readouterr().err == ""


def test_a_damaged_identity_is_said_where_a_run_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    (STATE / "identity.json").write_text("{")
    assert deliver_what_waits() == 1
    assert "identity.json is damaged" in capsys.readouterr().err
