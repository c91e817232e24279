"""A copy of the workflow in a folder of its own, run as a person runs it, and its plans read back."""

import compileall
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from whole_runs import for_slow_tests

ROOT = Path(__file__).parent.parent
BEING_WRITTEN = shutil.ignore_patterns("*.pyc.*")  # by another process, which renames it
PARTS = ("Snakefile", "config.yaml", "profiles", "rules", "workflow_scripts")

# Snakemake prints these before it reads the Snakefile.
SNAKEMAKE_SAYS = ("Using workflow specific profile", "Config file config.yaml is extended")

SMALL = {
    "experiments": ["small"],
    "definitions": {
        "small": {
            "seeds": [0, 1],
            "data": {"source": "digits", "train": 600, "validation": 200, "test": 300},
            "model": {"mlp": {"hidden": [32]}},
            "training": {"epochs": 6, "learning_rate": 0.1},
            "checkpoints": {"spaced": 2, "early": 2},
            "methods": ["random", "oracle", "loss", "ip", {"if_cg": {"damping": 0.2}}],
            "ensembles": [
                {"kind": "parameter_dropout", "sizes": [2, 3], "methods": ["ip"]},
                {"kind": "seeds", "sizes": [2], "methods": ["loss"]},
            ],
            "fractions": [0.1, "noise_rate"],
        },
        "other": {"data": {"source": "digits", "train": 600, "validation": 200, "test": 300}},
    },
}

# The smallest run with every stage but `auxiliary`.
TINY = {
    "experiments": ["small"],
    "definitions": {
        "small": {
            "seeds": [0],
            "data": {"source": "digits", "train": 300, "validation": 100, "test": 200},
            "model": {"mlp": {"hidden": [16]}},
            "training": {"epochs": 2, "learning_rate": 0.1},
            "checkpoints": {"spaced": 2, "early": 2},
            "methods": ["random", "loss"],
            "baselines": [],
            "ensembles": [],
            "fractions": [0.1],
        },
    },
}


@dataclass(frozen=True)
class PlannedJob:
    """A job that a dry run announces, with its wildcards and reason."""

    rule: str
    wildcards: Mapping[str, str]
    reason: str

    @property
    def variant(self) -> str:
        """The scorer or variant that the job works for, if any."""
        return self.wildcards.get("v", self.wildcards.get("m", ""))


def heed_interrupts() -> None:
    """Undoes that a shell lets what it starts in the background ignore SIGINT, which children inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@cache
def compile_once() -> None:
    """Compiles the house, so that its copies hold the compiled files: no process of a run compiles it again."""
    compileall.compile_dir(ROOT / "workflow_scripts", quiet=1)


class Workspace:
    """The workflow's files in `folder`, with `settings` in small.yaml beside them; `variables` of the environment."""

    def __init__(
        self, folder: Path, settings: Mapping[str, object] = SMALL, variables: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.variables = folder, dict(variables or {})
        compile_once()
        for part in PARTS:
            source, target = ROOT / part, folder / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=BEING_WRITTEN)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        self.configure(settings)

    @classmethod
    def opened(cls, folder: Path) -> "Workspace":
        """The workspace that stands in `folder`."""
        workspace = cls.__new__(cls)
        workspace.folder, workspace.variables = folder, {}
        return workspace

    def configure(self, settings: Mapping[str, object]) -> None:
        """Writes small.yaml."""
        (self.folder / "small.yaml").write_text(yaml.safe_dump(dict(settings), sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs the workflow."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "small.yaml", *arguments]

    def environment(self) -> dict[str, str]:
        """The process environment without what a developer's shell may say about trackers; the copy's own plugin."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_") and name != "HEFT_DATA"
        }
        modules = str(self.folder / "workflow_scripts")
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": modules, **self.variables}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a run in a process group of its own; one that is not dry is for slow tests."""
        if not {"-n", "-np", "--dry-run"} & set(arguments):
            for_slow_tests("a run")
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Runs to the end and returns what was printed; fails where the exit status is not `expect` (None: any)."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=600)
        assert expect is None or process.returncode == expect, output
        return "".join(line for line in output.splitlines(True) if not line.startswith(SNAKEMAKE_SAYS))

    def plan(self, *arguments: str) -> list[PlannedJob]:
        """The jobs that a run would do."""
        output = self.run("-n", *arguments)
        jobs = []
        # What stands in a group is indented.
        for block in re.split(r"\n(?= *(?:local)?rule \w+:)", output.partition("\nJob stats:")[2])[1:]:
            rule = re.match(r" *(?:local)?rule (\w+):", block)
            assert rule, block
            listed = re.search(r"\n +wildcards: (.*)", block)
            wildcards = dict(pair.split("=", 1) for pair in listed[1].split(", ")) if listed else {}
            reason = re.search(r"\n +reason: (.*)", block)
            jobs.append(PlannedJob(rule[1], wildcards, reason[1] if reason else ""))
        return jobs

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces text of a file of the workflow that must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1))


def each_run_once(folder: Path) -> dict[str, str]:
    """{key: status} of the runs of a folder's tracking store that nothing replaced; fails where one is there twice."""
    with sqlite3.connect(folder / "mlflow.db") as store:
        runs: dict[str, dict[str, str]] = {}
        for run, status, name, value in store.execute(
            "SELECT runs.run_uuid, runs.status, tags.key, tags.value FROM runs JOIN tags USING (run_uuid)"
        ):
            runs.setdefault(run, {"status": status})[name] = value
    records = [run for run in runs.values() if "record" in run]
    assert len({run["record"] for run in records}) == len(records), "a record was delivered twice"
    assert all(run["status"] != "RUNNING" for run in runs.values()), runs
    current = [run for run in records if run["superseded"] == "false"]
    keys = [run["key"] for run in current]
    assert len(set(keys)) == len(keys), f"more than one current run of a key: {sorted(keys)}"
    return {run["key"]: run["status"] for run in current}
