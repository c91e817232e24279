"""baseline: a model trained the way that a person would go instead of removing examples."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import device_of, run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import write_json, write_tensors
    from heft.baselines.declare import BaselineContext
    from heft.curation.states import state_name
    from heft.data.examples import load_examples, load_guiding_examples
    from heft.devices import CPU, moved_to
    from heft.registry import find
    from heft.seeds import run_seeds
    from heft.training.checkpoints import load_checkpoints
    from heft.training.loader import cpu_seconds
    from heft.training.settings import FineTuningSettings, TrainingSettings

    data = Path(job.input.manifest).parent
    checkpoints = load_checkpoints(Path(job.input.checkpoints).parent)
    declared = find("baselines", job.params.variant["method"])
    train = declared.configured(job.params.variant["options"])
    load_validation = load_guiding_examples if declared.fields["trains_on_validation"] else load_examples
    with device_of(job, training=True) as device:
        context = BaselineContext(
            checkpoints.model,
            checkpoints.runs[0].final.state,
            load_examples(data, job.input.train, device),
            load_validation(data, job.input.validation, device),
            TrainingSettings(**job.params.training, workers=job.threads - 1),
            FineTuningSettings(**job.params.fine_tuning),
            run_seeds(int(job.wildcards.s), 0, job.params.resample),
        )
        started = cpu_seconds()
        state = moved_to(CPU, train(context))
        cost = {"retrain_cpu_seconds": cpu_seconds() - started}
    write_tensors(job.output.states, {f"{state_name('', 0)}/{name}": tensor for name, tensor in state.items()})
    write_json(job.output.cost, cost)
    record.metrics(cost)


run_stage(main, snakemake, snakemake.wildcards.v, {"checkpoint": ""})
