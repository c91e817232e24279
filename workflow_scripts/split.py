"""split: draws disjoint training, validation and test splits and plants wrong labels in the training split."""

from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, read_parquet, write_json, write_parquet
    from heft.data.duplicates import conflicting_duplicates, sentence_of
    from heft.data.inputs import InputsFile
    from heft.data.modalities.declare import read_back
    from heft.data.settings import DataSettings, NoiseSettings
    from heft.data.split import draw_split, split_facts

    data = dict(job.params.data)
    settings = DataSettings(**{**data, "noise": NoiseSettings(**data["noise"])})
    seed, manifest = int(job.wildcards.s), read_json(job.input.manifest)
    examples, inputs, class_names = (
        read_parquet(job.input.examples),
        InputsFile(job.input.inputs),
        manifest["class_names"],
    )
    near = inputs.verified(None if settings.noise.kind == "clustered" else [])
    splits = draw_split(examples, near, settings, seed, class_names)
    rows, modality = splits["train"]["row"].to_numpy(), read_back(manifest["modality"])
    write_json(job.output.transform, modality.fit(inputs.verified(rows)[rows]) if modality.is_fitted else {})
    for name, table in splits.items():
        write_parquet(job.output[name], table, {"seed": str(seed), "noise": settings.noise.kind})
    conflicts = conflicting_duplicates(examples)
    facts = split_facts(splits, settings, seed) | {"conflicting_duplicates": conflicts}
    write_json(job.output.facts, facts)
    counts = {"n_wrong": facts["n_wrong"], "n_conflicting_duplicates": len(conflicts)}
    record.metrics({**counts, **{f"n_{name}": n for name, n in facts["n"].items()}})
    if conflicts:
        record.artifact(job.output.facts, private=manifest["personal"])
        say(job, [sentence_of(conflicts, class_names)])


run_stage(main, snakemake, computed_from={"prepare": ""})
