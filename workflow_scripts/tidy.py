"""tidy: tells what results, logs, reports and tracked runs are no longer asked for; `remove` takes them away.

Only one such process, run or delivery at a time in a folder.
"""

import fcntl
import os
import sys
from pathlib import Path
from typing import Any

from heft.delivery import STATE
from heft.errors import HeftError
from heft.housekeeping.files import links, removable_files, remove_files, unknown_files
from heft.housekeeping.runs import removable_runs, remove_runs
from heft.housekeeping.telling import told
from heft.housekeeping.unplanned import Planned
from heft.tracking import Tracker, Unreachable, reason_of, tracking_uri, without_password


def tidy(names: Any, shapes: Any, remove: bool) -> str:
    """Says what can go, after it is gone where `remove` says so."""
    planned, uri = Planned(names, shapes), tracking_uri()
    files, tracker = removable_files(planned), Tracker(uri)
    left_alone = [*links(), *unknown_files(planned)]
    runs = removable_runs(tracker, planned)
    note = remove_runs(tracker, uri, runs) if remove else ""
    if remove:
        remove_files(files)
    return "\n".join(filter(None, [told(files, runs, left_alone, without_password(uri), remove), note]))


def main(job: Any) -> None:
    """Prints and logs that, under the lock of the delivery; a mistake is one sentence."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "deliver.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A delivery is under way in this folder; wait for its end, then run again.")
        try:
            said = tidy(job.params.names, job.params.shapes, job.params.take_away)
        except HeftError as error:
            sys.exit(str(error))
        except Unreachable as error:
            sys.exit(f"The tracking store {without_password(tracking_uri())} cannot be tidied: {reason_of(error)}")
    print(said)
    Path(job.log[0]).write_text(f"{said}\n", encoding="utf-8")


os.nice(5)
main(snakemake)
