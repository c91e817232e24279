"""prune: which examples leave, for each fraction."""

from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_parquet, write_parquet
    from heft.curation.remove import removal_plan, unpruned_plan

    train = read_parquet(job.input.train)
    if job.input.scores:
        plan = removal_plan(train, read_parquet(job.input.scores), list(job.params.fractions), int(job.wildcards.s))
    else:
        plan = unpruned_plan(train)
    write_parquet(job.output.plan, plan)
    record.metrics(
        {
            "n_plans": plan.groupby(["action", "fraction"]).ngroups,
            "n_removed_most": (~plan["kept"]).groupby(plan["fraction"]).sum().max(),
        }
    )


variant = snakemake.wildcards.v
run_stage(main, snakemake, variant, {"score": variant} if snakemake.input.scores else {"split": ""})
