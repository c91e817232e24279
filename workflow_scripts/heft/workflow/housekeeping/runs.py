"""Runs of the tracking store that can go: those that a later one replaced, and those of what is no longer asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from heft.workflow.housekeeping.makers import Kept, Makers
from heft.workflow.housekeeping.unplanned import Planned
from heft.workflow.tracking.mlflow_store import Tracker
from heft.workflow.tracking.store_address import is_server

REPLACED = "replaced by a later run"


@dataclass(frozen=True)
class RemovableRun:
    """A run that can go, as mlflow gives it, why, and why it stays unasked."""

    run: Any
    what: str
    kept: Kept | None = None


@dataclass(frozen=True)
class FoundRuns:
    """The project's runs that can go, and how many runs that Heft made belong to no project.

    Those are older than the identities of projects, and stay.
    """

    removable: list[RemovableRun] = field(default_factory=list)
    n_without_project: int = 0


def find_runs(tracker: Tracker, project: str, planned: Planned, makers: Makers) -> FoundRuns:
    """What can go of the runs that the project delivered; those of anyone else in the same store are not looked at."""
    removable, n_without_project = [], 0
    for experiment in tracker.client.search_experiments():
        for run in tracker.search([experiment.experiment_id]):
            tags = run.data.tags
            if not ("record" in tags or tags.get("stage") == "seed"):
                continue
            if "project" not in tags:
                n_without_project += 1
            elif tags["project"] == project:
                key = tags["key"] if "record" in tags else f"{experiment.name}/seed{tags['seed']}"
                unasked = planned.of_run(key)
                if what := REPLACED if tags.get("superseded") == "true" else unasked:
                    removable.append(RemovableRun(run, what, makers.keeps_run(key) if unasked else None))
    return FoundRuns(removable, n_without_project)


def remove_runs(tracker: Tracker, uri: str, project: str, runs: Sequence[RemovableRun]) -> str:
    """Removes runs for good, with their files, and hides the project's experiments that are then empty.

    Of a server, which alone can remove for good, it returns what to do there.
    """
    for removable in runs:
        tracker.remove_run(removable.run)
    for experiment_id in _ids(removable.run for removable in runs):
        made_by = tracker.client.get_experiment(experiment_id).tags.get("project")
        if made_by == project and not tracker.client.search_runs([experiment_id], max_results=1):
            tracker.client.delete_experiment(experiment_id)
    return "The server keeps deleted runs until `mlflow gc` is run on it." if runs and is_server(uri) else ""


def _ids(runs: Iterable[Any]) -> list[str]:
    return sorted({run.info.experiment_id for run in runs})
