"""Runs a stage's script in this process, with files and parameters as a rule would hand them over."""

import runpy
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent.parent / "workflow_scripts"


class Named(dict):  # type: ignore[type-arg]
    """Values by name, as Snakemake offers them: `job.input.train` and `job.input["train"]`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Job:
    """What a script sees as `snakemake`; paths that the stage writes are made below `folder`."""

    def __init__(
        self,
        folder: Path,
        rule: str,
        files: dict[str, Any],
        output: dict[str, str],
        params: dict[str, Any],
        **wildcards: str,
    ) -> None:
        self.rule = rule
        self.input = Named({name: str(file) if isinstance(file, Path) else file for name, file in files.items()})
        self.output = Named({name: str(folder / file) for name, file in output.items()})
        self.output["record"] = str(folder / f"{rule}.{'.'.join(wildcards.values())}.record.jsonl")
        self.params = Named({"device": {"name": "cpu"}, **params, "code": {rule: "0"}})
        self.wildcards = Named({"e": "mine", "s": "4", **wildcards})
        self.threads = 1
        self.config: dict[str, Any] = {}
        self.log = [str(folder / f"{rule}.log")]

    def run(self) -> "Job":
        """Runs the script to its end."""
        runpy.run_path(str(SCRIPTS / f"{self.rule}.py"), init_globals={"snakemake": self})
        return self
