"""auxiliary: further trained models of a kind, a group at a time."""

from pathlib import Path
from typing import Any

from heft.auxiliary.kinds import kind_named
from heft.workflow.planning.paths import kind_named_in
from heft.workflow.runtime.stage import device_of, run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, write_parquet
    from heft.auxiliary.training import AuxiliaryContext
    from heft.data.examples import load_examples, load_guiding_examples
    from heft.models.build import ModelSpec
    from heft.registry import find
    from heft.training.checkpoints import load_checkpoints, write_checkpoints
    from heft.training.roles import Kept, keep_selected
    from heft.training.settings import CheckpointSettings, FineTuningSettings, TrainingSettings

    data = Path(job.input.manifest).parent
    load_validation = load_guiding_examples if kind_named(name).trains_on_validation else load_examples
    folders = dict.fromkeys(Path(file).parent for file in job.input.continued)
    with device_of(job, training=True) as device:
        context = AuxiliaryContext(
            ModelSpec.for_data(job.params.model, read_json(job.input.manifest)),
            load_examples(data, job.input.train, device),
            load_validation(data, job.input.validation, device),
            TrainingSettings(**job.params.training, workers=job.threads - 1),
            int(job.wildcards.s),
            job.params.resample,
            FineTuningSettings(**job.params.fine_tuning),
            {number: run.final.state for number, run in load_checkpoints(*folders).runs.items()} if folders else {},
        )
        trained = find("auxiliary", name).load()().train(context, job.params.numbers)
    say(job, list(trained.notes))
    selected = keep_selected(
        trained.checkpoints, trained.history, CheckpointSettings(**job.params.checkpoints), Kept(**job.params.kept)
    )
    write_checkpoints(Path(job.output.facts).parent, selected)
    write_parquet(job.output.history, trained.history)
    write_parquet(job.output.dynamics, trained.dynamics)
    last = trained.history.groupby("run").last()
    record.metrics({"cpu_seconds": selected.cpu_seconds, "validation_accuracy": last["validation_accuracy"].mean()})


name = kind_named_in(snakemake.wildcards.kind)
read = "checkpoint" if kind_named(name).continues else "split"
run_stage(main, snakemake, f"{snakemake.wildcards.kind} group{snakemake.wildcards.g}", {read: ""})
