"""The server of `make ui` ends with the process that was asked for, however that one ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workspace import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends the server after a kill")

# Serves with a process that sleeps in the place of MLflow's.
PROGRAM = """
import os, sys, ui
script = "import os, time; open('served', 'w').write(str(os.getpid())); time.sleep(600)"
ui.server = lambda *_: ([sys.executable, "-c", script], dict(os.environ))
ui.serve("sqlite:///mlflow.db", "5000")
"""


def lives(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(process: int) -> None:
    end = time.monotonic() + 60
    while lives(process):
        assert time.monotonic() < end, "the server outlives what started it"
        time.sleep(0.05)


def start(folder: Path, *before: str) -> tuple["subprocess.Popen[bytes]", int]:
    """The process, and the number of the server that it has started."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    environment.pop("MAKELEVEL", None)
    started = subprocess.Popen([*before, sys.executable, "-c", PROGRAM], env=environment, cwd=folder)
    end = time.monotonic() + 60
    while not (folder / "served").exists() or not (folder / "served").read_text():
        assert time.monotonic() < end, "the server did not start"
        time.sleep(0.05)
    return started, int((folder / "served").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_what_started_it(tmp_path: Path, ending: signal.Signals) -> None:
    started, served = start(tmp_path)
    started.send_signal(ending)
    started.wait(60)
    wait_until_gone(served)


@pytest.mark.slow
def test_the_server_ends_with_the_make_that_started_it(tmp_path: Path) -> None:
    make = "import os, subprocess, sys; os.environ['MAKELEVEL'] = '1'; subprocess.run(sys.argv[1:])"
    started, served = start(tmp_path, sys.executable, "-c", make)
    started.kill()
    started.wait(60)
    wait_until_gone(served)
