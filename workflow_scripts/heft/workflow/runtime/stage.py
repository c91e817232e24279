"""What every stage script shares: one thread, and a record for the tracker."""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heft.artifacts import read_json
from heft.scoring.memory import keep_freed_memory
from heft.workflow.tracking.records import Dataset, RunRecord, run_key

if TYPE_CHECKING:
    import torch

# {stage: variant, or several} of the runs whose results a job reads.
ComputedFrom = Mapping[str, str | list[str]]


def run_stage(
    work: Callable[[Any, RunRecord], None], job: Any, variant: str = "", computed_from: ComputedFrom | None = None
) -> None:
    """Runs `work(job, record)` as the run `{rule} {variant}` of the tracker; `job` is Snakemake's `snakemake` object.

    computed_from: the runs whose results the work reads. What ends the work with an error stands in the job's log
    (`job_end.py`). The imports of a stage stand in its function, so that all of them run in there.
    """
    prepare_process()
    with start_record(job, variant, computed_from or {}) as record:
        work(job, record)


def run_unrecorded(work: Callable[[Any], None], job: Any) -> None:
    """Runs `work(job)`, which writes its records itself; else as `run_stage`."""
    prepare_process()
    work(job)


def say(job: Any, sentences: list[str]) -> None:
    """Adds sentences to the job's log, for who looks there; the report says them too."""
    with Path(str(job.log[0])).open("a", encoding="utf-8") as log:
        log.writelines(f"{sentence}\n" for sentence in sentences)


@contextmanager
def device_of(job: Any, *, training: bool = False) -> "Iterator[torch.device]":
    """The device that the job's settings name, for a block that computes on it; the log says which one, but the CPU.

    training: whether the block trains, which alone is in the precision that the settings name.
    """
    from heft.devices import computing

    with computing(**job.params.device, training=training) as device:
        if device.type != "cpu":
            say(job, [f"Computed on {device.type}."])
        yield device


def prepare_process() -> None:
    """One torch thread, so that bits do not depend on the cores; freed memory is kept; no warning that a person cannot
    act on."""
    warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")
    warnings.filterwarnings("ignore", category=UserWarning, message="There is a performance drop")
    os.environ["OMP_NUM_THREADS"] = "1"
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    keep_freed_memory()


def start_record(job: Any, variant: str, computed_from: ComputedFrom) -> RunRecord:
    """Opens the job's record; parameters are the job's own, as the Snakefile gave them."""
    experiment, seed = seed_of(job)
    return RunRecord.start(
        str(job.output.record),
        experiment,
        job.rule,
        seed=seed,
        variant=variant,
        parameters={name: value for name, value in job.params.items() if name != "code"},
        tags={"code": code_digest(job)},
        parents=parent_keys(experiment, seed, computed_from),
        dataset=dataset_of(job),
    )


def seed_of(job: Any) -> tuple[str, int | None]:
    """Experiment and seed of a job; no seed where a job serves all of them."""
    seed = job.wildcards.get("s")
    return job.wildcards.e, int(seed) if seed is not None else None


def parent_keys(experiment: str, seed: int | None, computed_from: ComputedFrom) -> list[str]:
    """Keys of the runs that a job read."""
    return [
        run_key(experiment, None if name == "prepare" else seed, name, variant)
        for name, variants in computed_from.items()
        for variant in ([variants] if isinstance(variants, str) else variants)
    ]


def dataset_of(job: Any) -> Dataset | None:
    """The data set behind a job, where its manifest is among the inputs."""
    manifest = job.input.get("manifest")
    if not manifest:
        return None
    facts = read_json(str(manifest))
    return Dataset(facts["source"], facts["dataset_digest"], facts["origin"])


def code_digest(job: Any) -> str:
    """One hash of the job's code fingerprint."""
    return hashlib.sha256(json.dumps(job.params.code, sort_keys=True).encode()).hexdigest()[:12]
