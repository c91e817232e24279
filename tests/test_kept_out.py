"""A delivery that another one keeps out waits within bounds, and names the process that hangs."""

import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest
from workspace import ROOT

sys.path.insert(0, str(ROOT / "workflow_scripts"))

import deliver

from heft.workflow.tracking.deliverer import FAILED, LATER


@pytest.mark.parametrize(
    ("once", "status", "said"),
    [
        (True, LATER, "(process 123); it sends all records."),
        (False, FAILED, "(process 123) and does not end: "),
    ],
)
def test_a_delivery_that_is_kept_out_ends_with_a_sentence(
    once: bool,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(deliver, "DRAIN_SECONDS", 0.2)
    monkeypatch.setattr(deliver, "POLL_SECONDS", 0.1)
    run_ended = threading.Event()
    run_ended.set()
    file = tmp_path / "deliver.lock"
    file.write_text("123\n")
    holder = os.open(file, os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with file.open("a+") as lock:
        assert not deliver.take(lock, run_ended, wait=not once)
        with pytest.raises(SystemExit) as ended:
            deliver.end_kept_out(lock, once)
        assert ended.value.code == status
        assert said in capsys.readouterr().err
        os.close(holder)
        assert deliver.take(lock, run_ended, wait=not once)
    assert file.read_text() == f"{os.getpid()}\n"
