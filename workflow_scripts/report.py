"""report: gathers an experiment's results and renders the comparison report."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.reporting.page import render_report
    from heft.workflow.results.gather import gather
    from heft.workflow.results.report_files import sources_of

    render_report(gather(sources_of(job)), Path(job.output.page).parent)
    for output in (job.output.page, job.output.comparison, job.output.metrics):
        record.artifact(output)


run_stage(main, snakemake)
