"""encode: turns each example into features by a frozen encoder, once; what was encoded before comes from the cache."""

import sys
from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json
    from heft.data.encoders.encode import encode
    from heft.workflow.places import FEATURES

    def tell(line: str) -> None:
        say(job, [line])
        if sys.stderr.isatty():
            print(f"encode {job.wildcards.e}: {line}", file=sys.stderr)

    encoder = job.params.encoder
    encode(
        Path(job.input.manifest).parent,
        Path(job.output.manifest).parent,
        encoder["name"],
        encoder["options"],
        FEATURES,
        tell=tell,
        code=job.params.version,
        files=job.params.files,
        threads=job.threads,
    )
    record.artifact(job.output.manifest, private=read_json(job.output.manifest)["personal"])


run_stage(main, snakemake, computed_from={"prepare": ""})
