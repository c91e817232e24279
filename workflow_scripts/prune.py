"""prune: which examples leave, for each fraction."""

from heft.artifacts import read_parquet, write_parquet
from heft.curation.remove import removal_plan, unpruned_plan
from heft.stage import stage
from heft.variants import NONE

job = snakemake  # noqa: F821 (Snakemake puts it here)

variant = job.wildcards.v

with stage(job, variant, computed_from={"split": ""} if variant == NONE else {"score": variant}) as record:
    train = read_parquet(job.input.train)
    if variant == NONE:
        plan = unpruned_plan(train)
    else:
        plan = removal_plan(train, read_parquet(job.input.scores), list(job.params.fractions))
    write_parquet(job.output.plan, plan)
    record.metrics(
        {
            "n_plans": plan.groupby(["action", "fraction"]).ngroups,
            "n_removed_most": (~plan["kept"]).groupby(plan["fraction"]).sum().max(),
        }
    )
