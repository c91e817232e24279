"""score: the mean over the first K members, and what these members cost."""

from heft.artifacts import read_json, read_parquet, write_json, write_parquet
from heft.scores import check_scores, costs_from_json, ensemble_cost, ensemble_mean
from heft.stage import stage

job = snakemake  # noqa: F821 (Snakemake puts it here)

variant = job.wildcards.v
members = job.params.variant["members"]

with stage(job, variant, computed_from={"score_members": job.params.scorer}) as record:
    table = read_parquet(job.input.scores)
    scores = ensemble_mean(table.drop(columns="id").to_numpy(), members)
    check_scores(scores, len(table), job.params.variant["method"], variant)
    facts = {"method": job.params.variant["method"], "variant": variant, "sign": "low scores are detrimental"}
    write_parquet(job.output.scores, table[["id"]].assign(score=scores), facts)
    cost = ensemble_cost(costs_from_json(read_json(job.input.cost)), members)
    write_json(job.output.cost, cost)
    record.metrics(cost)
