"""score_members: scores of all training examples under each member of an ensemble, or the trained model alone."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import device_of, run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    import pandas as pd

    from heft.artifacts import write_json, write_parquet
    from heft.data.examples import load_examples, load_guiding_examples
    from heft.kernels.batch import Batch
    from heft.objectives.declare import load_objective
    from heft.scoring.members import costs_as_json, score_members
    from heft.training.checkpoints import load_checkpoints
    from heft.workflow.results.scoring_inputs import given_for, load_trained

    scorer, data, seed = job.params.scorer, Path(job.input.manifest).parent, int(job.wildcards.s)
    with device_of(job) as device:
        train = load_examples(data, job.input.train, device)
        validation = load_guiding_examples(data, job.input.validation, device)
        spec = load_checkpoints(Path(job.input.checkpoints).parent).model
        scored = score_members(
            scorer["method"],
            scorer["options"],
            scorer["ensemble"] or None,
            scorer["members"],
            model=spec.build(0, device),
            trained=load_trained(job.input, scorer, train, seed),
            train=Batch(train.inputs, train.labels, train.groups, train.units),
            validation=Batch(validation.inputs, validation.labels, validation.groups),
            true_labels=train.true_labels,
            n_classes=spec.n_classes,
            seed=seed,
            objective=load_objective(**job.params.objective) if job.params.objective else None,
            weight_decay=job.params.weight_decay,
            optimiser=job.params.optimiser,
            ensemble_options=scorer["ensemble_options"],
            given_probabilities=given_for(train.ids, job.input.probabilities),
        )
    scores = pd.DataFrame({"id": train.ids, **{f"m{member:03d}": of for member, of in enumerate(scored.scores.T)}})
    write_parquet(job.output.scores, scores, {"method": scorer["method"], "sign": "low scores are detrimental"})
    write_json(job.output.cost, costs_as_json(scored))
    for number, warnings in enumerate(scored.warnings):
        say(job, [f"Method {scorer['method']}, member {number}: {warning}." for warning in warnings])
    record.metrics({"forward_cpu_seconds": scored.forward_cpu_seconds, "members": scorer["members"]})


run_stage(main, snakemake, snakemake.wildcards.m, {"checkpoint": ""})
