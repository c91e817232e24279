"""Which commit the code of a run belongs to."""

import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def commit_tags() -> dict[str, str]:
    """MLflow's tags for the commit that this file belongs to, and whether it was changed since; empty without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with suppress(OSError):
        answer = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        commit, _, dirty = answer.stdout.strip().partition("-")
        if commit:
            return {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": str(bool(dirty)).lower()}
    return {}
