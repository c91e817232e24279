"""members: further trained models: `seeds`, `folds`, `subsets` or `fine_tunes`, a group at a time."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, write_parquet
    from heft.auxiliary.members import train_fine_tune, train_folds, train_seeds, train_subsets
    from heft.data.examples import load_examples
    from heft.models.build import ModelSpec
    from heft.training.checkpoints import Kept, keep_selected, load_checkpoints, write_checkpoints
    from heft.training.settings import CheckpointSettings, FineTuningSettings, TrainingSettings

    data, seed, group = Path(job.input.manifest).parent, int(job.wildcards.s), int(job.wildcards.g)
    spec = ModelSpec.for_data(job.params.model, read_json(job.input.manifest))
    validation, training = load_examples(data, job.input.validation), TrainingSettings(**job.params.training)
    match job.wildcards.kind:
        case "seeds":
            train = load_examples(data, job.input.train)
            trained = train_seeds(spec, train, validation, training, seed, job.params.members)
        case "folds":
            train = load_examples(data, job.input.train)
            trained = train_folds(spec, train, validation, training, seed, group, job.params.resample)
        case "subsets":
            train = load_examples(data, job.input.train)
            trained = train_subsets(spec, train, validation, training, seed, job.params.members)
        case "fine_tunes":
            final = load_checkpoints(Path(job.input.tuned[0]).parent).runs[group].final.state
            settings = FineTuningSettings(**job.params.fine_tuning)
            trained = train_fine_tune(spec, final, validation, training, settings, seed, group, job.params.resample)
    say(job, list(trained.notes))
    selected = keep_selected(
        trained.checkpoints, trained.history, CheckpointSettings(**job.params.checkpoints), Kept(**job.params.kept)
    )
    write_checkpoints(Path(job.output.facts).parent, selected)
    write_parquet(job.output.history, trained.history)
    write_parquet(job.output.dynamics, trained.dynamics)
    last = trained.history.groupby("run").last()
    record.metrics({"cpu_seconds": selected.cpu_seconds, "validation_accuracy": last["validation_accuracy"].mean()})


kind = snakemake.wildcards.kind
run_stage(
    main,
    snakemake,
    f"{kind} group{snakemake.wildcards.g}",
    {"checkpoint": ""} if kind == "fine_tunes" else {"split": ""},
)
