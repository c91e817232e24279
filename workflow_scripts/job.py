"""job: runs the script of one job of a rule; what Snakemake starts in the place of the script (rules/common.smk)."""

import os
import signal
import sys

# Before anything is imported: the script gets an interrupt too, and notes its end, which is waited for.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import heft  # noqa: E402

here = os.path.dirname(os.path.realpath(__file__))
if os.path.realpath(heft.__file__) != os.path.join(here, "heft", "__init__.py"):
    sys.exit(f"job: heft is another project's ({heft.__file__}); unset PYTHONSAFEPATH, which leaves this one's aside")

from heft.workflow.runtime.launch import run_script  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_script(*sys.argv[1:]))
