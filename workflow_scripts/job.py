"""job: runs the script of one job of a rule; what Snakemake starts in the place of the script (rules/common.smk)."""

import sys

from heft.launch import run_script

if __name__ == "__main__":
    sys.exit(run_script(*sys.argv[1:4]))
