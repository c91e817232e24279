"""The warm process runs scripts as their own process would: streams, status, errors; and ends with its run."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_once import finished_run
from workspace import Workspace

from heft.faults import KILLED_STATUS
from heft.workflow.runtime.hand_over import VARIABLE, hand_over
from heft.workflow.runtime.launch import command

STAGES = Path(__file__).parent.parent / "workflow_scripts"
CLIENT = (
    f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
    "from heft.workflow.runtime.hand_over import hand_over\n"
    "status = hand_over(sys.argv[1])\n"
    "sys.exit(99 if status is None else status)\n"
)
SERVER = (
    f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
    "from heft.workflow.runtime.fork_server import serve\n"
    "serve(sys.argv[1], preloaded=['decimal'])\n"
)


@pytest.fixture
def address() -> Iterator[str]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="heft-") as folder:
        yield f"{folder}/warm"


@pytest.fixture
def server(address: str) -> Iterator["subprocess.Popen[bytes]"]:
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


def test_a_script_that_is_killed_is_a_failure_with_the_status_of_a_kill(server: object, tmp_path: Path) -> None:
    assert run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)").returncode == KILLED_STATUS


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


def test_a_server_that_was_killed_leaves_scripts_to_their_own_process(
    server: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    server.kill()
    server.wait()
    assert os.path.exists(os.environ[VARIABLE])
    assert run(tmp_path, "").returncode == 99


def test_a_server_that_is_killed_before_it_took_the_script_leaves_it_to_its_own_process(
    address: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        script = tmp_path / "script.py"
        script.write_text("")
        environment = {**os.environ, VARIABLE: address}
        sender = subprocess.Popen([sys.executable, "-c", CLIENT, str(script)], env=environment)
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.close()
        assert sender.wait(timeout=30) == 99


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM])
def test_a_script_ends_with_its_sender_and_can_note_that(server: object, tmp_path: Path, killer: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, sys, time\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "(here / 'started').touch()\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    (here / 'interrupted').touch()\n    raise\n"
    )
    sender = subprocess.Popen([sys.executable, "-c", CLIENT, str(script)])
    wait_until_exists(tmp_path / "started")
    sender.send_signal(killer)
    sender.wait()
    wait_until_exists(tmp_path / "interrupted")


def wait_until_exists(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.01)


def test_a_script_runs_in_the_folder_and_with_the_environment_of_its_sender(
    server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    for name, value in (("TMPDIR", tmp_path / "temporary"), ("CUDA_VISIBLE_DEVICES", "1"), ("LONG", "x" * 100_000)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    text = "import os, tempfile\nprint(os.getcwd(), tempfile.gettempdir(), os.environ['CUDA_VISIBLE_DEVICES'])\n"
    answer = run(tmp_path, text + "print(len(os.environ['LONG']), 'HEFT_WARM' in os.environ)")
    assert answer.stdout == f"{tmp_path} {tmp_path / 'temporary'} 1\n100000 False\n"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert run(tmp_path, "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))").stdout == "None\n"


@pytest.mark.parametrize(("resources", "alone"), [({"gpu": 1}, True), ({"gpu": 0, "mem_mb": 5}, False), ({}, False)])
def test_a_job_that_asks_for_a_gpu_runs_in_a_process_of_its_own(
    server: object, tmp_path: Path, resources: dict[str, int], alone: bool
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys; print('decimal' in sys.modules)")
    words = command("train", [], str(script), resources)
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    assert answer.stdout == f"{not alone}\n"  # the warm process of these tests has imported it


@pytest.mark.slow
def test_a_run_whose_warm_process_fails_gives_the_same_weights(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    warm, _ = finished_run(tmp_path_factory, "small")
    cold = Workspace(tmp_path)
    cold.edit("workflow_scripts/warm.py", "serve(sys.argv[1])\n", "sys.exit(0)\n")
    target = "results/small/seed0/checkpoints/checkpoints.json"
    cold.run("--", target)
    states = [json.loads((made.folder / target).read_text())["runs"]["0"]["states"] for made in (warm, cold)]
    assert [state["sha256"] for state in states[0]] == [state["sha256"] for state in states[1]]
