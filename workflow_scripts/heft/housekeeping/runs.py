"""Runs of the tracking store that can go: those that a later one replaced, and those of what is no longer asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heft.errors import HeftError
from heft.housekeeping.unplanned import Planned
from heft.tracking import Tracker, without_password

REPLACED = "replaced by a later run"
RUNS_AT_ONCE = 200  # on one command line


@dataclass(frozen=True)
class RemovableRun:
    """A run that can go, the id of its MLflow experiment, and why."""

    run_id: str
    experiment_id: str
    what: str


def removable_runs(tracker: Tracker, planned: Planned) -> list[RemovableRun]:
    """All that can go of the runs that Heft made; those of anyone else in the same store are not looked at."""
    found = []
    for experiment in tracker.client.search_experiments():
        for run in _runs(tracker, experiment.experiment_id):
            tags = run.data.tags
            if "record" in tags:
                what = REPLACED if tags.get("superseded") == "true" else planned.of_run(tags["key"])
            elif tags.get("stage") == "seed":
                what = planned.of_run(f"{experiment.name}/seed{tags['seed']}")
            else:
                continue
            if what:
                found.append(RemovableRun(run.info.run_id, experiment.experiment_id, what))
    return found


def remove_runs(tracker: Tracker, uri: str, runs: Sequence[RemovableRun]) -> str:
    """Removes runs for good, with their files, and hides experiments that are then empty.

    Of a server, which alone can remove for good, it returns what to do there.
    """
    for run in runs:
        tracker.client.delete_run(run.run_id)
    for experiment_id in {run.experiment_id for run in runs}:
        if not tracker.client.search_runs([experiment_id], max_results=1):
            tracker.client.delete_experiment(experiment_id)
    if uri.startswith(("http://", "https://")):
        return "The server keeps deleted runs until `mlflow gc` is run on it." if runs else ""
    identities = [run.run_id for run in runs]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    for start in range(0, len(identities), RUNS_AT_ONCE):
        chosen = ",".join(identities[start : start + RUNS_AT_ONCE])
        command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri, "--run-ids", chosen]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise HeftError(
                f"The runs are deleted in {without_password(uri)}, but their files are not removed: {reason}"
            )
    return ""


def _runs(tracker: Tracker, experiment_id: str) -> Iterator[Any]:
    token = None
    while True:
        page = tracker.client.search_runs([experiment_id], page_token=token)
        yield from page
        token = page.token
        if not token:
            return
