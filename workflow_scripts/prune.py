"""prune: what each action does to the training split, for each fraction."""

from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, read_parquet, write_parquet
    from heft.curation.chosen import ChosenAction
    from heft.curation.plan import curation_plan, unpruned_plan

    train = read_parquet(job.input.train)
    if job.input.scores:
        plan = curation_plan(
            train,
            read_parquet(job.input.scores),
            [ChosenAction.of(entry) for entry in job.params.actions],
            list(job.params.fractions),
            seed=int(job.wildcards.s),
            n_classes=len(read_json(job.input.classes)["class_names"]),
            probabilities={
                action: {need: read_parquet(file) for need, file in files.items()}
                for action, files in job.params.probabilities.items()
            },
            sees_true_labels=job.params.sees_true_labels,
        )
    else:
        plan = unpruned_plan(train)
    write_parquet(job.output.plan, plan)
    record.metrics(
        {
            "n_plans": plan.groupby(["action", "fraction"]).ngroups,
            "n_removed_most": (~plan["kept"]).groupby([plan["action"], plan["fraction"]]).sum().max(),
        }
    )


variant = snakemake.wildcards.v
run_stage(main, snakemake, variant, {"score": variant} if snakemake.input.scores else {"split": ""})
