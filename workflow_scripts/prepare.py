"""prepare: reads the data source, checks it, and writes tensors, the table of examples and the manifest."""

from pathlib import Path

from heft.config import data_folder
from heft.data.prepare import prepare
from heft.stage import stage

job = snakemake  # noqa: F821 (Snakemake puts it here)

with stage(job) as record:
    folder = Path(job.output.manifest).parent
    prepare(job.params.source, data_folder(job.config["data_dir"]), folder)
    record.artifact(job.output.manifest)
