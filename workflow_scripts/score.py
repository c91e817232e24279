"""score: the mean over the first K members, and what these members cost."""

from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, read_parquet, write_json, write_parquet
    from heft.scoring.aggregate import check_scores, costs_from_json, ensemble_cost, ensemble_mean, ensemble_warnings

    variant = job.wildcards.v
    members = job.params.variant["members"]
    table = read_parquet(job.input.scores)
    scores = ensemble_mean(table.drop(columns="id").to_numpy(), members)
    check_scores(scores, len(table), job.params.variant["method"], variant)
    facts = {"method": job.params.variant["method"], "variant": variant, "sign": "low scores are detrimental"}
    write_parquet(job.output.scores, table[["id"]].assign(score=scores), facts)
    of_members = read_json(job.input.cost)
    cost, warnings = ensemble_cost(costs_from_json(of_members), members), ensemble_warnings(of_members, members)
    write_json(job.output.cost, {"cost": cost, "warnings": warnings})
    record.metrics({**cost, "warnings": len(warnings)})


run_stage(main, snakemake, snakemake.wildcards.v, {"score_members": snakemake.params.scorer})
