"""The tags that tell a tracked run from every other: whose it is, what it is, and what it was computed from."""

from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_TAG = 5000
MADE_BY = {"mlflow.source.name": "snakemake"}


def tags_of(start: Mapping[str, Any], project: str, file: str, computed_from_runs: Iterable[str]) -> dict[str, str]:
    """Tags of the run of a `start` event that a project delivers from a record file; empty ones are left out.

    A record that came with a copy names the project that made it, which is then a tag of its own.
    """
    dataset, made_by = start["dataset"], start.get("project", "")
    tags = {
        **start["tags"],
        "stage": start["stage"],
        "project": project,
        "copied_from_project": made_by if made_by != project else "",
        "record": start["record"],
        "record_file": file,
        "key": start["key"],
        "superseded": "false",
        "dataset": f"{dataset['name']} {dataset['digest']}" if dataset else "",
        "computed_from": ", ".join(start["parents"]),
        "computed_from_run": ", ".join(computed_from_runs),
        **MADE_BY,
    }
    return {name: value[:LONGEST_TAG] for name, value in tags.items() if value}


def tags_of_seed(seed: int, project: str) -> dict[str, str]:
    """Tags of the parent run of a project's seed."""
    return {"stage": "seed", "seed": str(seed), "project": project, "superseded": "false", **MADE_BY}


def of_project(project: str, *filters: str) -> str:
    """mlflow's filter for the runs of a project that pass further filters."""
    return " and ".join([f"tags.project = '{project}'", *filters])
