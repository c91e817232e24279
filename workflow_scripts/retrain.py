"""retrain: one model per action and fraction of a variant, from the same initial weights, in the same batch order."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import device_of, run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, read_parquet, write_json, write_tensors
    from heft.curation.retrain import retrain
    from heft.data.examples import load_examples
    from heft.models.build import ModelSpec
    from heft.seeds import run_seeds
    from heft.training.settings import TrainingSettings

    data = Path(job.input.manifest).parent
    with device_of(job, training=True) as device:
        states, cost = retrain(
            ModelSpec.for_data(job.params.model, read_json(job.input.manifest)),
            load_examples(data, job.input.train, device),
            read_parquet(job.input.plan),
            TrainingSettings(**job.params.training, workers=job.threads - 1),
            run_seeds(int(job.wildcards.s), 0, job.params.resample),
            told=lambda sentence: say(job, [sentence]),
        )
    write_tensors(job.output.states, states)
    write_json(job.output.cost, cost)
    record.metrics(cost)


run_stage(main, snakemake, snakemake.wildcards.v, {"prune": snakemake.wildcards.v})
