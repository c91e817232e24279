"""members: a group of independently trained models, for ensembles of the kind `seeds`."""

from pathlib import Path
from typing import Any

from heft.records import RunRecord
from heft.stage import run_stage

# Members differ in initial weights and batch order, whatever the experiment freezes over its seeds.
VARIES = ("init",)


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, write_parquet
    from heft.data.examples import load_examples
    from heft.models.build import ModelSpec
    from heft.training.checkpoints import keep_selected, write_checkpoints
    from heft.training.runs import train_runs
    from heft.training.seeds import run_seeds
    from heft.training.settings import CheckpointSettings, TrainingSettings

    data = Path(job.input.manifest).parent
    trained = train_runs(
        ModelSpec.for_data(job.params.model, read_json(job.input.manifest)),
        load_examples(data, job.input.train),
        load_examples(data, job.input.validation),
        TrainingSettings(**job.params.training),
        {member: run_seeds(int(job.wildcards.s), member, VARIES) for member in job.params.members},
    )
    selected = keep_selected(trained.checkpoints, trained.history, CheckpointSettings(**job.params.checkpoints))
    write_checkpoints(Path(job.output.facts).parent, selected)
    write_parquet(job.output.history, trained.history)
    last = trained.history.groupby("run").last()
    record.metrics({"cpu_seconds": selected.cpu_seconds, "validation_accuracy": last["validation_accuracy"].mean()})


run_stage(main, snakemake, f"seeds group{snakemake.wildcards.g}", {"split": ""})
