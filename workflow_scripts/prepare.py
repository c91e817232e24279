"""prepare: reads the data source, checks it, and writes tensors, the table of examples and the manifest."""

from pathlib import Path
from typing import Any

from heft.records import RunRecord
from heft.stage import run_stage


def main(job: Any, record: RunRecord) -> None:
    from heft.config import data_folder
    from heft.data.prepare import prepare

    folder = Path(job.output.manifest).parent
    prepare(job.params.source, data_folder(job.config["data_dir"]), folder)
    record.artifact(job.output.manifest)


run_stage(main, snakemake)
