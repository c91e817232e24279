"""The warm process runs scripts as their own process would: streams, status, errors; and ends with its run."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace import Workspace

from heft.warm import VARIABLE, hand_over

STAGES = Path(__file__).parent.parent / "workflow_scripts"
CLIENT = (
    f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
    "from heft.warm import hand_over\n"
    "status = hand_over(sys.argv[1])\n"
    "sys.exit(99 if status is None else status)\n"
)
SERVER = (
    f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
    "from heft.warm import serve\n"
    "serve(sys.argv[1], preloaded=['decimal'])\n"
)


@pytest.fixture
def server() -> Iterator["subprocess.Popen[bytes]"]:
    folder = tempfile.mkdtemp(prefix="heft-")
    address = f"{folder}/warm"
    process = subprocess.Popen([sys.executable, "-c", SERVER, address], stdin=subprocess.PIPE)
    while not os.path.exists(address):
        time.sleep(0.01)
    os.environ[VARIABLE] = address
    yield process
    os.environ.pop(VARIABLE)
    process.kill()
    process.wait()


def run(folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    """Hands a script of that text over, and what came back."""
    script = folder / "script.py"
    script.write_text(text)
    return subprocess.run([sys.executable, "-c", CLIENT, str(script)], capture_output=True, text=True, check=False)


def test_a_script_writes_to_the_streams_of_its_sender(server: object, tmp_path: Path) -> None:
    answer = run(tmp_path, "import sys; print('decimal' in sys.modules); print(sys.argv[0], file=sys.stderr)")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "True\n", f"{tmp_path / 'script.py'}\n")


@pytest.mark.parametrize(
    ("text", "status", "stderr"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit('one sentence')", 1, "one sentence\n"),
        ("import sys; sys.exit()", 0, ""),
    ],
)
def test_a_script_that_exits_gives_its_status(
    server: object, tmp_path: Path, text: str, status: int, stderr: str
) -> None:
    answer = run(tmp_path, text)
    assert (answer.returncode, answer.stderr) == (status, stderr)


def test_an_exception_is_a_traceback_and_status_one(server: object, tmp_path: Path) -> None:
    answer = run(tmp_path, "1 / 0")
    assert answer.returncode == 1
    assert "ZeroDivisionError" in answer.stderr


def test_a_script_that_is_killed_is_a_failure(server: object, tmp_path: Path) -> None:
    assert run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)").returncode == 1


def test_scripts_do_not_see_each_other(server: object, tmp_path: Path) -> None:
    assert run(tmp_path, "import decimal; decimal.seen = True").returncode == 0
    assert run(tmp_path, "import decimal; assert not hasattr(decimal, 'seen')").returncode == 0


def test_the_server_ends_with_the_pipe_and_scripts_then_run_alone(
    server: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(timeout=30) == 0
    assert run(tmp_path, "").returncode == 99
    assert hand_over("script.py") is None


def test_an_interrupt_of_the_terminal_leaves_the_server_to_its_run(
    server: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    server.send_signal(signal.SIGINT)
    assert run(tmp_path, "print(1)").stdout == "1\n"


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_a_run_whose_warm_process_fails_gives_the_same_weights(tmp_path: Path) -> None:
    target = "results/small/seed0/checkpoints/checkpoints.json"
    hashes = []
    for name in ("warm", "cold"):
        workspace = Workspace(tmp_path / name)
        if name == "cold":
            workspace.edit("workflow_scripts/warm.py", "serve(sys.argv[1])\n", "sys.exit(0)\n")
        workspace.run("--", target)
        run_facts = json.loads((workspace.folder / target).read_text())["runs"]["0"]
        hashes.append([state["sha256"] for state in run_facts["states"]])
    assert hashes[0] == hashes[1]
