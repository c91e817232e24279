"""Where the files of a project lie, as paths from its folder."""

from pathlib import Path

RESULTS = Path("results")
STATE = Path(".heft")
# Features of all examples that were ever encoded, by content: they outlive the experiments that asked for them.
FEATURES = STATE / "features"
# Snakemake deletes what a failed job wrote: its record is kept here until it is delivered.
FAILED = STATE / "failed"
