"""What accompanies a run: progress, the lock that keeps a second run out, and the delivery of records."""

import fcntl
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from heft.progress import attach
from heft.warm import VARIABLE

STATE = Path(".heft")
DELIVER = Path(__file__).parent.parent / "deliver.py"
WARM = Path(__file__).parent.parent / "warm.py"


class Session:
    """One run of Snakemake in this folder; `reports` are the pages that it makes."""

    def __init__(self, reports: list[str]) -> None:
        self.reports = reports
        self._lock: TextIO | None = None
        self._delivery: subprocess.Popen[bytes] | None = None
        self._warm: subprocess.Popen[bytes] | None = None
        # Bits depend on the number of threads, and Snakemake lowers `threads:` to --cores: one thread a job, always.
        os.environ["OMP_NUM_THREADS"] = "1"

    def show_progress(self) -> None:
        """Shows one line a job in the place of Snakemake's own output; dry runs keep Snakemake's."""
        if not {"-n", "--dry-run", "--dryrun", "--verbose", "--lint"} & set(sys.argv):
            attach(logging.getLogger("snakemake.logging"), self.reports)

    def start(self) -> None:
        """Takes the lock, which lives as long as this process, and starts the delivery; exits where a run lives."""
        STATE.mkdir(exist_ok=True)
        self._lock = (STATE / "run.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another run is going on in this folder; wait for it, or stop it, then run again.")
        self._start_warm_process()
        # End of file on its stdin tells the delivery process that this run ended, however it ended.
        self._delivery = subprocess.Popen([sys.executable, str(DELIVER)], stdin=subprocess.PIPE, start_new_session=True)

    def _start_warm_process(self) -> None:
        """Its socket lies in a folder of its own with a short path, which a socket needs."""
        address = str(Path(tempfile.mkdtemp(prefix="heft-")) / "warm")
        self._warm = subprocess.Popen([sys.executable, str(WARM), address], stdin=subprocess.PIPE)
        wait_until_exists(address, self._warm)
        os.environ[VARIABLE] = address

    def finish(self, failed: bool = False) -> None:
        """Waits until all records are delivered, and prints where the reports are."""
        if self._warm is not None and self._warm.stdin is not None:
            self._warm.stdin.close()
            self._warm.wait()
            shutil.rmtree(Path(os.environ.pop(VARIABLE)).parent, ignore_errors=True)
        if self._delivery is not None and self._delivery.stdin is not None:
            self._delivery.stdin.close()
            self._delivery.wait()
        if not failed:
            for report in filter(os.path.exists, self.reports):
                print(f"Report: {report}", file=sys.stderr)


def wait_until_exists(path: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when the file is there; a process that ended before is not waited for."""
    while not os.path.exists(path) and process.poll() is None:
        time.sleep(0.01)
