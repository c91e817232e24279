"""Starts the script of one job, in the warm process where there is one, and sees how it ends.

The script runs in a process of its own in any case, so that this one can say in the job's log which signal ended it.
What few jobs need is imported where it is used, since each import is a part of every short job.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

from heft.workflow.runtime.hand_over import hand_over

JOB = os.path.normpath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3, "job.py"))
ALONE, ONE_GPU = "alone", "one-gpu"
# Names under which executors ask for a GPU; CUDA does not work in the child of a process that has used it.
GPU_RESOURCES = ("gpu", "gpus", "nvidia_gpu", "gres")


def command(rule: str, log: Sequence[str], script: str, resources: Mapping[str, object]) -> list[str]:
    """The command line of a job, for `run_script`; rule and log may be missing where the script is no job of ours.

    A job that asks for a GPU runs in a process of its own; one that asks for `gpu=1` sees that one alone.
    """
    words = [ALONE] if any(resources.get(name) for name in GPU_RESOURCES) else []
    words += [ONE_GPU] if resources.get("gpu") == 1 else []
    return [sys.executable, JOB, script, rule or "", str(log[0]) if log else "", *words]


def run_script(script: str, rule: str, log: str, *words: str) -> int:
    """Runs the script of a job and returns its exit status: 1 where a signal ended it, which the log then says.

    If `ALONE` is among the words, the warm process does not run it; if `ONE_GPU`, it gets one of several GPUs.
    """
    status = None if ALONE in words else hand_over(script, rule, log)
    if status is None:
        status = (_run_on_one_gpu if ONE_GPU in words else _run_alone)(script, rule, log)
    if log and status > 128 and status != 128 + signal.SIGINT:
        from pathlib import Path

        from heft.workflow.runtime.job_end import note_signal

        note_signal(rule, Path(log), status - 128)
        return 1
    return status


def _run_on_one_gpu(script: str, rule: str, log: str) -> int:
    from heft.workflow.runtime.gpu import gpu_of_its_own

    with gpu_of_its_own():
        return _run_alone(script, rule, log)


def _run_alone(script: str, rule: str, log: str) -> int:
    """The same in a child of this process, which ends with it."""
    from heft.workflow.runtime.job_process import run_and_exit

    ours, its = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        run_and_exit(its, script, rule, log)
    its.close()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ours.close()
    return status if status >= 0 else 128 - status
