"""Reads the configuration, keeps one run at a time, and starts what accompanies a run."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from heft.errors import HeftError
from heft.plan import load_plan
from heft.session import Session

# Bits depend on the number of threads, and Snakemake lowers `threads:` to --cores: one thread per job, always.
os.environ["OMP_NUM_THREADS"] = "1"

try:
    plan = load_plan(config, [Path(file) for file in workflow.configfiles])
except HeftError as error:
    sys.exit(str(error))

session = Session(plan.reports)
if workflow.is_main_process:
    session.show_progress()


wildcard_constraints:
    e="[a-z0-9_]+",
    s="[0-9]+",
    m=r"[A-Za-z0-9_.\-]+",
    v=r"[A-Za-z0-9_.\-]+",
    g="[0-9]+",


def code(script, method=None, model=False):
    """A params function: the fingerprint of the code that a job of this experiment runs."""
    return lambda wildcards: plan.code(wildcards.e, script, method(wildcards) if method else "", model)


onstart:
    session.start()


onsuccess:
    session.finish()


onerror:
    session.finish(failed=True)
