"""report: gathers an experiment's results and renders the comparison report."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.reporting.page import render_report
    from heft.workflow.results.gather import gather
    from heft.workflow.results.report_files import sources_of

    report = gather(sources_of(job))
    render_report(report, Path(job.output.page).parent, shared=job.output.shared)
    record.artifact(job.output.page, private=report.is_personal, shared=job.output.shared)
    for output in (job.output.comparison, job.output.metrics):
        record.artifact(output)


run_stage(main, snakemake)
