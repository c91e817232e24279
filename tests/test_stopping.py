"""A run that is told to stop ends, whatever its own thread and its jobs do; a second time, it ends at once."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workspace import ROOT, heed_interrupts

JOB = """
import time
said = False
while True:
    try:
        said = said or print("ready", flush=True) is None
        time.sleep(600)
    except KeyboardInterrupt:
        pass
"""
RUN = f"""
import subprocess, sys, time
sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
from heft.workflow.runtime.stopping import Stopping

waits, job_seconds = sys.argv[1], float(sys.argv[2])
quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
spared = subprocess.Popen(["sleep", "600"], start_new_session=True, **quiet)
job = subprocess.Popen([sys.executable, "-c", {JOB!r}], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
job.stdout.readline()
stopping = Stopping(job_seconds, end_seconds=0.2)
stopping.spared.append(spared.pid)
stopping.listen()
said = False
while waits == "without end" or job.poll() is None:  # as a thread does that holds the lock that it waits for
    try:
        said = said or print(job.pid, spared.pid, flush=True) is None
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
"""


def is_there(process: int) -> bool:
    """Whether a process runs; a zombie has ended."""
    place = Path(f"/proc/{process}/stat")
    return place.exists() and place.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("waits", "job_seconds", "times"), [("for the job", 0.2, 1), ("without end", 0.2, 1), ("without end", 600.0, 2)]
)
def test_a_run_ends_with_its_jobs_and_leaves_those_that_end_by_themselves(
    number: signal.Signals, waits: str, job_seconds: float, times: int
) -> None:
    command = [sys.executable, "-c", RUN, waits, str(job_seconds)]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    assert run.stdout is not None
    assert run.stderr is not None
    job, spared = map(int, run.stdout.readline().split())
    try:
        run.send_signal(number)
        if times == 2:
            with pytest.raises(subprocess.TimeoutExpired):
                run.wait(0.3)
            run.send_signal(number)
        status = run.wait(timeout=60)
        assert status == (0 if waits == "for the job" else 128 + number)
        assert run.stderr.read() == ""
        end = time.monotonic() + 30  # the kernel takes a moment
        while is_there(job):
            assert time.monotonic() < end
        assert is_there(spared)
    finally:
        subprocess.run(["kill", "-9", str(spared)], check=True)
