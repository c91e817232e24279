"""tidy: tells what results, logs, reports and tracked runs are no longer asked for; `tidy_now` takes them away.

Only one such process, run or delivery at a time in a folder.
"""

import fcntl
import os
from pathlib import Path
from typing import Any

from heft.errors import HeftError
from heft.workflow.housekeeping.configurations import forget, made_by_each
from heft.workflow.housekeeping.files import links, removable_files, remove_files, unknown_files
from heft.workflow.housekeeping.makers import Makers, agreed, may_go
from heft.workflow.housekeeping.runs import find_runs, remove_runs
from heft.workflow.housekeeping.telling import told
from heft.workflow.housekeeping.unplanned import Planned
from heft.workflow.identity import identity
from heft.workflow.places import STATE
from heft.workflow.tracking.local_store import adopt
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.store_address import tracking_uri, without_password
from heft.workflow.tracking.store_errors import reason_of


def tidy(params: Any) -> str:
    """Says what can go, after it is gone where `params.take_away` says so."""
    uri, own = tracking_uri(), identity()
    adopt(uri, own)
    planned, tracker = Planned(params.names, params.shapes), Tracker(uri, own.project)
    makers = Makers(params.label, {label: Planned(names, params.shapes) for label, names in made_by_each().items()})
    files, runs = removable_files(planned, makers), find_runs(tracker, own.project, planned, makers)
    experiments = agreed(params.confirm, [*files, *runs.removable])
    note = ""
    if params.take_away:
        note = remove_runs(tracker, uri, own.project, [run for run in runs.removable if may_go(run, experiments)])
        remove_files(file for file in files if may_go(file, experiments))
        forget(params.label, params.names, experiments)
    left_alone = [*links(), *unknown_files(planned)]
    said = told(files, runs, left_alone, without_password(uri), params.take_away, experiments)
    return "\n".join(filter(None, [said, note]))


def main(job: Any) -> None:
    """Prints and logs that, under the lock of the delivery; a mistake is one sentence."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "deliver.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeftError("A delivery is under way in this folder; wait for its end, then run again.") from None
        try:
            said = tidy(job.params)
        except Unreachable as error:
            uri = tracking_uri()
            reason = reason_of(error, uri)
            raise HeftError(f"The tracking store {without_password(uri)} cannot be tidied: {reason}") from error
    print(said)
    Path(job.log[0]).write_text(f"{said}\n", encoding="utf-8")


os.nice(5)
main(snakemake)
