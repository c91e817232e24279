"""train: the model that everything else is about; its epoch states, history and training dynamics."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import device_of, run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, write_parquet
    from heft.data.examples import load_examples
    from heft.models.build import ModelSpec
    from heft.seeds import run_seeds
    from heft.training.checkpoints import write_states
    from heft.training.runs import train_runs
    from heft.training.settings import TrainingSettings

    data = Path(job.input.manifest).parent
    with device_of(job, training=True) as device:
        trained = train_runs(
            ModelSpec.for_data(job.params.model, read_json(job.input.manifest)),
            load_examples(data, job.input.train, device),
            load_examples(data, job.input.validation, device),
            TrainingSettings(**job.params.training, workers=job.threads - 1),
            {0: run_seeds(int(job.wildcards.s), 0, job.params.resample)},
            after_epoch=lambda row: record.metrics(row, step=int(row["epoch"])),
        )
    write_states(Path(job.output.states).parent, trained.checkpoints)
    write_parquet(job.output.history, trained.history)
    write_parquet(job.output.dynamics, trained.dynamics)
    record.metrics({"cpu_seconds": trained.checkpoints.cpu_seconds}, step=int(trained.history["epoch"].max()))


run_stage(main, snakemake, computed_from={"split": ""})
