"""out_of_fold: of each training example, the probabilities of the classes by models that did not train on it."""

import time
from pathlib import Path
from typing import Any

from heft.auxiliary.kinds import kind_named
from heft.workflow.planning.paths import kind_named_in
from heft.workflow.runtime.stage import device_of, run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    import pandas as pd

    from heft.artifacts import write_json, write_parquet
    from heft.data.examples import load_examples
    from heft.workflow.results.given_predictions import given_probabilities, state_of

    train = load_examples(Path(job.input.manifest).parent, job.input.train)
    started, given = time.process_time(), job.params.predictions
    if given:
        probabilities = given_probabilities(given["file"], job.input.examples, job.input.manifest, train.ids)
        cost, read = {"training_cpu_seconds": 0.0}, {"read": state_of(given)}
    else:
        probabilities, training = by_models(job, train)
        cost, read = {"training_cpu_seconds": training}, {}
    cost["cpu_seconds"] = time.process_time() - started
    columns = {f"class{label:04d}": probabilities[:, label].numpy() for label in range(probabilities.shape[1])}
    write_parquet(job.output.probabilities, pd.DataFrame({"id": train.ids, **columns}))
    write_json(job.output.cost, cost | read)
    right = probabilities.argmax(1) == train.labels
    record.metrics({"accuracy_on_given_labels": float(right.double().mean()), **cost})


def by_models(job: Any, train: Any) -> tuple[Any, float]:
    """Probabilities by the trained models, and the CPU seconds of their training."""
    from heft.kernels.out_of_fold import held_out_probabilities, out_of_fold_probabilities
    from heft.registry import find
    from heft.training.checkpoints import load_checkpoints

    trained = load_checkpoints(*dict.fromkeys(Path(file).parent for file in job.input.auxiliary))
    of_kind, seed = find("auxiliary", name).load()(), int(job.wildcards.s)
    # The last group may have more models than are asked for.
    runs = {number: run for number, run in sorted(trained.runs.items()) if number < n_models}
    models = [(run.final.state, of_kind.held_out_of(train, seed, number)) for number, run in runs.items()]
    predict = out_of_fold_probabilities if kind.holds_out_each_once else held_out_probabilities
    with device_of(job) as device:
        model, inputs = trained.model.build(0, device), train.inputs.to(device)
        probabilities = predict(model, models, inputs, train.labels, trained.model.n_classes, train.units)
    return probabilities, sum(run.cpu_seconds for run in runs.values())


name, n_models = kind_named_in(snakemake.wildcards.kind), int(snakemake.wildcards.n)
kind = kind_named(name)
groups = [f"{snakemake.wildcards.kind} group{group}" for group in kind.groups(n_models)]
read = {"split": ""} if snakemake.params.predictions else {"auxiliary": groups}
run_stage(main, snakemake, f"{snakemake.wildcards.kind} models{n_models}", read)
