"""Snakemake's own linter finds nothing but one known thing; no committed link points out of the project."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# One pinned environment serves the whole workflow; environment.yml builds it with conda, `make` with pip.
ONE_ENVIRONMENT = "Specify a conda environment or container for each rule."


def test_snakemake_lints_nothing_but_the_single_environment() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lints = re.findall(r"(?m)^    \* (.*):$", answer.stderr + answer.stdout)
    assert set(lints) <= {ONE_ENVIRONMENT}
    assert "Lints for" in answer.stderr or "Congratulations" in answer.stderr


def test_no_symbolic_link_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = listed.splitlines()
    assert files
    assert [line for line in files if line.startswith("120000")] == []
