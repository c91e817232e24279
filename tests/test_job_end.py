"""However a job ends, alone or in the warm process, the last line of its log says why; the terminal says it once."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_warm import SERVER
from workspace import ROOT

from heft.faults import KILLED
from heft.workflow.runtime.hand_over import VARIABLE

JOB = ROOT / "workflow_scripts" / "job.py"


@pytest.fixture(scope="module", params=["alone", "warm"])
def variables(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of a job, without and with a warm process."""
    if request.param == "alone":
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="heft-") as folder:
        address = f"{folder}/warm"
        server = subprocess.Popen([sys.executable, "-c", SERVER, address], stdin=subprocess.PIPE)
        while not os.path.exists(address):
            time.sleep(0.01)
        yield {VARIABLE: address}
        server.communicate()


class Ended:
    """A job whose script has that text: its status, what it printed on stderr, and its log."""

    def __init__(self, folder: Path, text: str, variables: dict[str, str]) -> None:
        (folder / "a b").mkdir()
        script, log = folder / "a b" / "it's.score.py", folder / "logs/score.log"
        script.write_text(text)
        command = [sys.executable, str(JOB), str(script), "score", str(log)]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
        self.status, self.printed, self.log = done.returncode, done.stderr, log.read_text()


BUG = "def inner():\n    raise KeyError('no such\\ncolumn')\n\ninner()\n"


def test_a_bug_leaves_its_whole_traceback_in_the_log_and_one_line_on_the_terminal(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    ended = Ended(tmp_path, BUG, variables)
    assert ended.status == 1
    assert ended.log.startswith("Traceback (most recent call last):")
    assert "in inner" in ended.log
    assert ended.log.splitlines()[-1] == "KeyError: 'no such\\ncolumn'"
    assert ended.printed == f"score: KeyError: 'no such\\ncolumn'; the traceback is in {tmp_path}/logs/score.log\n"


@pytest.mark.parametrize(
    ("text", "status", "last", "printed"),
    [
        (
            "import nothing_here",
            1,
            "ModuleNotFoundError: No module named 'nothing_here'",
            "score: ModuleNotFoundError: ",
        ),
        ("def (:", 1, "SyntaxError: invalid syntax (", "score: SyntaxError: "),
        ("import sys; sys.exit('no licence')", 1, "SystemExit: no licence", "score: no licence\n"),
        ("import sys; sys.exit(3)", 1, "SystemExit: 3", "score: SystemExit: 3; "),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt", ""),
        (
            "raise ValueError('one\\ntwo\\n' + 999 * 'x')",
            1,
            "ValueError: one two xxx",
            "score: ValueError: one two xxx",
        ),
        ("raise ValueError('\\ud800')", 1, "ValueError: \\ud800", "score: ValueError: \\ud800"),
        ("raise LookupError", 1, "LookupError", "score: LookupError; "),
        ("import os; os.kill(os.getpid(), 9)", 1, KILLED, f"score: {KILLED}\n"),
        (
            "import ctypes; ctypes.string_at(0)",
            1,
            "the job was killed by SIGSEGV (segmentation fault)",
            "score: the job was killed by SIGSEGV (segmentation fault)\n",
        ),
        (
            "import os; os.kill(os.getpid(), 15)",
            1,
            "the job was killed by SIGTERM (terminated)",
            "score: the job was killed by SIGTERM (terminated)\n",
        ),
    ],
)
def test_each_end_has_its_reason_as_the_last_line_of_the_log(
    tmp_path: Path, variables: dict[str, str], text: str, status: int, last: str, printed: str
) -> None:
    ended = Ended(tmp_path, text, variables)
    assert ended.status == status
    assert ended.log.splitlines()[-1].startswith(last)
    assert len(ended.log.splitlines()[-1]) <= 300
    assert ended.printed.startswith(printed)
    assert len(ended.printed.splitlines()) == bool(printed)


def test_a_crash_of_compiled_code_leaves_the_lines_that_led_to_it(tmp_path: Path, variables: dict[str, str]) -> None:
    ended = Ended(tmp_path, "import ctypes\n\ndef inner():\n    ctypes.string_at(0)\n\ninner()\n", variables)
    assert "line 4 in inner" in ended.log


def test_a_job_that_ends_well_has_what_it_said_in_its_log(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/score.log").write_text("of an earlier run")
    text = f"import sys\nopen({str(tmp_path / 'logs/score.log')!r}, 'a').write('a warning')\nsys.exit(0)\n"
    ended = Ended(tmp_path, text, variables)
    assert (ended.status, ended.printed, ended.log) == (0, "", "a warning")


def test_an_interrupt_reaches_the_script_which_notes_its_end_and_is_waited_for(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    script, log, noted = tmp_path / "script.py", tmp_path / "log", tmp_path / "noted"
    script.write_text(
        "import os, signal, time\n"
        "try:\n    os.kill(os.getppid() if VARIABLE else os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(30)\n"
        f"except KeyboardInterrupt:\n    time.sleep(0.1)\n    open({str(noted)!r}, 'w').close()\n    raise\n".replace(
            "VARIABLE", repr(bool(variables))
        )
    )
    command = [sys.executable, str(JOB), str(script), "score", str(log)]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, noted.exists()) == (128 + signal.SIGINT, "", True)
