"""Runs a stage script by itself, with a job as Snakemake hands it over."""

import runpy
from types import SimpleNamespace
from typing import Any

from workspace import ROOT


class Named(dict[str, Any]):
    """Values by name, as Snakemake hands them to a script."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def run_script(rule: str, **job: Named) -> None:
    """Runs `workflow_scripts/{rule}.py` in this process; job: wildcards, input, output, params. The log is beside."""
    parts = SimpleNamespace(rule=rule, log=[f"{rule}.log"], **job)
    runpy.run_path(str(ROOT / "workflow_scripts" / f"{rule}.py"), {"snakemake": parts})
