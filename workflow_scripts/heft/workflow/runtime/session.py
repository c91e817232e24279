"""What accompanies a run: the lock that keeps a second run out, the warm process, and the delivery of records."""

import fcntl
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from heft.errors import HeftError
from heft.workflow.identity import identity
from heft.workflow.places import STATE
from heft.workflow.runtime.full_disk import let_full_be_said
from heft.workflow.runtime.snakemake_log import LOGGER, RunEvents, lose_lines_on_a_full_disk, say
from heft.workflow.runtime.stopping import Stopping
from heft.workflow.runtime.warm_process import WarmProcess, start_warm_process
from heft.workflow.tracking.deliverer import Deliverer, deliver_what_waits


class Session:
    """One run of Snakemake in this folder; `reports` are the pages that it makes."""

    def __init__(self, reports: list[str]) -> None:
        self.reports = reports
        self._lock: TextIO | None = None
        self._delivery: Deliverer | None = None
        self._warm: WarmProcess | None = None
        self.stopping = Stopping()
        # Bits depend on the number of threads, and Snakemake lowers `threads:` to --cores: one thread a job, always.
        os.environ["OMP_NUM_THREADS"] = "1"

    def heed_snakemake(self) -> None:
        """Hears on Snakemake's logger when a run starts, or finds nothing to do; for what is no dry run."""
        lose_lines_on_a_full_disk()
        LOGGER.addHandler(
            RunEvents(self.reports, lambda: bring_back_from_future(Path("results")), self._end_without_jobs)
        )

    def lock(self) -> None:
        """Takes the lock, which lives as long as this process; exits where a run lives."""
        STATE.mkdir(exist_ok=True)
        self._lock = (STATE / "run.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another run is going on in this folder; wait for it, or stop it, then run again.")
        let_full_be_said()

    def start(self, local: bool) -> None:
        """Starts the delivery, and the warm process where jobs run on this machine."""
        try:
            identity()
            self._warm = start_warm_process(local)
        except HeftError as error:
            sys.exit(str(error))
        if self._warm is not None:
            self.stopping.spared.append(self._warm.pid)
        self._delivery = Deliverer()
        self.stopping.spared.append(self._delivery.pid)

    def finish(self, failed: bool = False) -> None:
        """Waits until all records are delivered, and prints where the reports are; nothing where none was started.

        Where the delivery failed, it exits with status 1; Snakemake does so by itself where a job failed.
        """
        if self._warm is not None:
            self._warm.end()
        status = self._delivery.finish() if self._delivery is not None else 0
        if not failed and self._delivery is not None:
            for report in filter(os.path.exists, self.reports):
                say(f"Report: {report}")
        if status and not failed:
            sys.exit(status)

    def _end_without_jobs(self) -> None:
        """Delivers what earlier runs have left, where Snakemake finds nothing to do."""
        if status := deliver_what_waits():
            sys.exit(status)


def bring_back_from_future(folder: Path) -> None:
    """Shifts files that are dated after now, since the clock was set back, so that the newest is from now.

    Snakemake compares dates: what is made now would look older than its inputs, and run again each time, or stay
    though an input is made anew. The shift keeps the order of these files, and dates none of them before it was made.
    """
    now = time.time_ns()
    dates: dict[str, int] = {}
    for place, _, names in os.walk(folder):
        for file in (os.path.join(place, name) for name in names):
            with suppress(FileNotFoundError):  # another run is at work
                dates[file] = os.stat(file).st_mtime_ns
    newest = max(dates.values(), default=now)
    for file, date in dates.items():
        if date > now:
            with suppress(FileNotFoundError):
                os.utime(file, ns=(date - newest + now,) * 2)


def lift_default_rate(scheduler: Any) -> None:
    """Takes away Snakemake's default limit of 100 job starts a second; one that a person has set stays.

    While there is a limit, Snakemake 9 looks at all ready jobs again a second after each look, and each finished job
    adds one more such chain of looks: after some hundred jobs they take a quarter of a core.
    """
    limit = scheduler.job_rate_limiter
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        scheduler.job_rate_limiter = None
