"""report: gathers an experiment's results and renders the comparison report."""

from pathlib import Path

from heft.gather import gather
from heft.reporting.page import render_report
from heft.stage import stage

job = snakemake  # noqa: F821 (Snakemake puts it here)

with stage(job, computed_from={}) as record:
    render_report(gather(job), Path(job.output.page).parent)
    for output in (job.output.page, job.output.comparison, job.output.metrics):
        record.artifact(output)
