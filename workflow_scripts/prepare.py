"""prepare: reads the data source, checks it, and writes tensors, the table of examples and the manifest."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.data.prepare import prepare
    from heft.workflow.configuration.settings import data_folder

    folder = Path(job.output.manifest).parent
    prepare(job.params.source, data_folder(job.config["data_dir"]), folder)
    record.artifact(job.output.manifest)


run_stage(main, snakemake)
