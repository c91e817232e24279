"""unreadable: fails with the sentence on a file that cannot be read, in the place of an experiment that uses it."""

from typing import Any

from heft.errors import HeftError
from heft.workflow.runtime.stage import run_unrecorded


def main(job: Any) -> None:
    raise HeftError(job.params.sentence)


run_unrecorded(main, snakemake)
