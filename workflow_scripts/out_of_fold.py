"""out_of_fold: of each training example, the probabilities of the classes by the model that did not train on it."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    import pandas as pd

    from heft.artifacts import write_parquet
    from heft.auxiliary.folds import Folds
    from heft.data.examples import load_examples
    from heft.kernels.out_of_fold import out_of_fold_probabilities
    from heft.training.checkpoints import load_checkpoints

    train = load_examples(Path(job.input.manifest).parent, job.input.train)
    trained = load_checkpoints(Path(job.input.folds[0]).parent)
    seed = int(job.wildcards.s)
    folds = [(run.final.state, Folds().held_out(train.labels, seed, fold)) for fold, run in trained.runs.items()]
    spec = trained.model
    found = out_of_fold_probabilities(spec.build(seed=0), folds, train.inputs, train.labels, spec.n_classes)
    columns = {f"class{label:04d}": found[:, label].numpy() for label in range(spec.n_classes)}
    write_parquet(job.output.probabilities, pd.DataFrame({"id": train.ids, **columns}))
    record.metrics({"accuracy_on_given_labels": float((found.argmax(1) == train.labels).double().mean())})


run_stage(main, snakemake, computed_from={"auxiliary": "folds group0"})
