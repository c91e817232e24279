"""tidy: tells what results, logs, reports and tracked runs are no longer asked for; `remove` takes them away.

Only one such process, run or delivery at a time in a folder.
"""

import fcntl
import os
import sys
from typing import Any

from heft.delivery import STATE
from heft.errors import HeftError
from heft.housekeeping.files import links, removable_files, remove_files, unknown_files
from heft.housekeeping.runs import removable_runs, remove_runs
from heft.housekeeping.telling import told
from heft.housekeeping.unplanned import Planned
from heft.tracking import Tracker, Unreachable, reason_of, tracking_uri, without_password


def main(names: Any, shapes: Any, remove: bool) -> None:
    """Prints what can go, after it is gone where `remove` says so."""
    planned, uri = Planned(names, shapes), tracking_uri()
    files, tracker = removable_files(planned), Tracker(uri)
    left_alone = [*links(), *unknown_files(planned)]
    runs = removable_runs(tracker, planned)
    note = remove_runs(tracker, uri, runs) if remove else ""
    if remove:
        remove_files(files)
    print(told(files, runs, left_alone, without_password(uri), remove))
    if note:
        print(note)


def alone(names: Any, shapes: Any, remove: bool) -> None:
    """The same under the lock of the delivery; a mistake is one sentence."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "deliver.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A delivery is under way in this folder; wait for its end, then run again.")
        try:
            main(names, shapes, remove)
        except HeftError as error:
            sys.exit(str(error))
        except Unreachable as error:
            sys.exit(f"The tracking store {without_password(tracking_uri())} cannot be tidied: {reason_of(error)}")


os.nice(5)
alone(snakemake.params.names, snakemake.params.shapes, snakemake.params.take_away)
