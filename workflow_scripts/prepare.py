"""prepare: reads the data source, checks it, and writes tensors, the table of examples and the manifest."""

import sys
from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json
    from heft.data.prepare import prepare
    from heft.workflow.configuration.settings import data_folder
    from heft.workflow.planning.asked import needs_true_labels

    source, data_dir = job.params.source, data_folder(job.config["data_dir"])
    # Read from the configuration: a method that is added later makes no data set anew.
    needed_by = needs_true_labels(job.config, job.wildcards.e)
    folder = Path(job.output.manifest).parent
    said = prepare(
        source["name"],
        data_dir,
        folder,
        source["options"],
        files=job.params.files,
        needed_by=needed_by,
        threads=job.threads,
        near_duplicates=job.params.near_duplicates,
        trusted=Path(source["trusted"]) if "trusted" in source else None,
    )
    say(job, [*said.changes, *said.notes])
    for sentence in said.changes:
        print(f"prepare {job.wildcards.e}: {sentence}", file=sys.stderr)
    # A person's own names examples that were skipped, and values of columns.
    record.artifact(job.output.manifest, private=read_json(job.output.manifest)["personal"])


run_stage(main, snakemake)
