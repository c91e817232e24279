"""report: gathers an experiment's results and renders the comparison report."""

from pathlib import Path
from typing import Any

from heft.records import RunRecord
from heft.stage import run_stage


def main(job: Any, record: RunRecord) -> None:
    from heft.gather import gather
    from heft.report_files import sources_of
    from heft.reporting.page import render_report

    render_report(gather(sources_of(job)), Path(job.output.page).parent)
    for output in (job.output.page, job.output.comparison, job.output.metrics):
        record.artifact(output)


run_stage(main, snakemake)
