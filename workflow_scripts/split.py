"""split: draws disjoint training, validation and test splits and plants wrong labels in the training split."""

from typing import Any

from heft.records import RunRecord
from heft.stage import run_stage


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_parquet, write_json, write_parquet
    from heft.data.inputs import read_inputs
    from heft.data.settings import DataSettings, NoiseSettings
    from heft.data.split import draw_split, split_facts

    data = dict(job.params.data)
    settings = DataSettings(**{**data, "noise": NoiseSettings(**data["noise"])})
    seed = int(job.wildcards.s)
    splits = draw_split(read_parquet(job.input.examples), read_inputs(job.input.inputs), settings, seed)
    for name, table in splits.items():
        write_parquet(job.output[name], table, {"seed": str(seed), "noise": settings.noise.kind})
    facts = split_facts(splits, settings, seed)
    write_json(job.output.facts, facts)
    record.metrics({"n_wrong": facts["n_wrong"], **{f"n_{name}": n for name, n in facts["n"].items()}})


run_stage(main, snakemake, computed_from={"prepare": ""})
