"""The delivery process as the run sees it: started with the run, given a bounded time at its end, and believed by its
status.

0: all records are delivered. LATER: the store is down, or too slow; nothing is lost, and the run keeps its own status.
FAILED, or any other status, as of a process that was killed: the run ends with status 1, its results and reports
intact. The process itself has said why, unless it was killed.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from heft.errors import HeftError
from heft.workflow.identity import project_of
from heft.workflow.tracking.delivered import waiting
from heft.workflow.tracking.store_address import tracking_uri, without_password

LATER = os.EX_TEMPFAIL
FAILED = os.EX_UNAVAILABLE
DRAIN_SECONDS = 60.0
GRACE_SECONDS = 10.0
LONGEST_END_SECONDS = DRAIN_SECONDS + 2 * GRACE_SECONDS
SCRIPT = Path(__file__).parents[3] / "deliver.py"
SENDS = "`snakemake deliver` sends them, as does the next run"


class Deliverer:
    """The delivery process of a run."""

    def __init__(self) -> None:
        if n_waiting := len(waiting(tracking_uri(), project_of())):
            print(f"{counted(n_waiting)} from earlier for the tracking store; this run sends them.", file=sys.stderr)
        # End of file on its stdin tells the process that this run ended, however it ended.
        self._process = subprocess.Popen([sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, start_new_session=True)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def finish(self) -> int:
        """Waits until all records are delivered, for a bounded time; returns 1 where the delivery failed, else 0."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            status = self._process.wait(LONGEST_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return _failed(f"did not end within {LONGEST_END_SECONDS:.0f} s and was stopped")
        if status in (0, LATER):
            return 0
        if status == FAILED:
            return 1
        if status < 0:
            return _failed(f"was killed (signal {-status}, {signal.Signals(-status).name})")
        return _failed(f"ended with status {status}")


def deliver_what_waits() -> int:
    """Delivers what earlier runs have left, where a run has nothing else to do; returns 1 where that failed, else 0."""
    try:
        n_waiting = len(waiting(tracking_uri(), project_of()))
    except HeftError as error:
        print(error, file=sys.stderr)
        return 1
    if not n_waiting:
        return 0
    print(f"{counted(n_waiting)} for the tracking store; they are sent now.", file=sys.stderr)
    command = [sys.executable, str(SCRIPT), "--once"]
    try:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=LONGEST_END_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        return _failed(f"did not end within {LONGEST_END_SECONDS:.0f} s and was stopped")
    return int(status not in (0, LATER))


def counted(n_waiting: int) -> str:
    """`1 record waits`, `25 records wait`."""
    return "1 record waits" if n_waiting == 1 else f"{n_waiting} records wait"


def _failed(how: str) -> int:
    uri = tracking_uri()
    n_waiting = len(waiting(uri, project_of()))
    left = f"{counted(n_waiting)} for {without_password(uri)}" if n_waiting else "no record waits"
    print(
        f"The delivery to the tracking store {how}: {left}; results and reports are complete, and {SENDS}.",
        file=sys.stderr,
    )
    return 1
