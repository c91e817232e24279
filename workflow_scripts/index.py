"""index: lists every experiment that has a report, with its sentence and picture."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_unrecorded


def main(job: Any) -> None:
    from heft.reporting.index import render_index
    from heft.workflow.results.report_pages import index_entries

    index = Path(str(job.output.index))
    render_index(index_entries(index.parent), index)


run_unrecorded(main, snakemake)
