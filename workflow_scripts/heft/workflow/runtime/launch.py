"""Starts the script of one job, in the warm process where there is one, and sees how it ends.

The script runs in a process of its own in any case, so that this one can say in the job's log which signal ended it.
"""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from heft.workflow.runtime.fork_server import hand_over
from heft.workflow.runtime.job_end import note_signal
from heft.workflow.runtime.job_process import run_and_exit

JOB = Path(__file__).parents[3] / "job.py"


def command(rule: str, log: Sequence[str], script: str) -> list[str]:
    """The command line of a job, for `run_script`; rule and log may be missing where the script is no job of ours."""
    return [sys.executable, str(JOB), script, rule or "", str(log[0]) if log else ""]


def run_script(script: str, rule: str, log: str) -> int:
    """Runs the script of a job and returns its exit status: 1 where a signal ended it, which the log then says."""
    status = hand_over(script, rule, log)
    if status is None:
        status = _run_alone(script, rule, log)
    if log and status > 128 and status != 128 + signal.SIGINT:
        note_signal(rule, Path(log), status - 128)
        return 1
    return status


def _run_alone(script: str, rule: str, log: str) -> int:
    """The same in a child of this process, which ends with it."""
    ours, its = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        run_and_exit(its, script, rule, log)
    its.close()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ours.close()
    return status if status >= 0 else 128 - status
