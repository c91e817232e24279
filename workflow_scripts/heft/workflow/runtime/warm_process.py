"""Starts and ends the warm process of a run (`fork_server.py`), which may be switched off."""

import os
import subprocess
import sys
import time
from pathlib import Path

from heft.errors import HeftError
from heft.workflow.runtime.hand_over import VARIABLE
from heft.workflow.runtime.socket_folder import SocketFolder

SCRIPT = Path(__file__).parents[3] / "warm.py"
SWITCH = "HEFT_FORK_SERVER"  # of the environment: `off` runs each job in a process of its own


def is_switched_on() -> bool:
    """Whether the environment leaves the warm process on; raises HeftError where it says neither `on` nor `off`."""
    said = os.environ.get(SWITCH, "on")
    if said not in ("on", "off"):
        raise HeftError(f'{SWITCH} is "{said}"; it must be on or off')
    return said == "on"


class WarmProcess:
    """The warm process of a run; jobs find it by the environment, from when it is made until `end`.

    Raises OSError where no folder for its socket can be made.
    """

    def __init__(self, script: Path = SCRIPT) -> None:
        self._folder = SocketFolder()
        address = str(self._folder.path / "warm")
        command = [sys.executable, str(script), address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        wait_until_exists(address, self._process)
        os.environ[VARIABLE] = address

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def end(self) -> None:
        """Lets the process end, and removes its socket."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        os.environ.pop(VARIABLE, None)
        self._folder.remove()


def start_warm_process(local: bool, script: Path = SCRIPT) -> WarmProcess | None:
    """The warm process of a run whose jobs run on this machine (`local`); None elsewhere, or where it is switched off.

    If no folder for its socket can be made, jobs run in their own processes too: slower, with the same results.
    """
    if not (local and is_switched_on()):
        return None
    try:
        return WarmProcess(script)
    except OSError:
        return None


def wait_until_exists(path: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when the file is there; a process that ended before is not waited for."""
    while not os.path.exists(path) and process.poll() is None:
        time.sleep(0.01)
