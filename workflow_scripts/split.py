"""split: draws disjoint training, validation and test splits and plants wrong labels in the training split."""

from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_json, read_parquet, write_json, write_parquet
    from heft.curation.fractions import check_fractions
    from heft.data.duplicates import sentence_of
    from heft.data.inputs import InputsFile
    from heft.data.modalities.declare import as_a_model_sees, read_back
    from heft.data.settings import DataSettings, NoiseSettings
    from heft.data.split import draw_split
    from heft.data.split_facts import split_facts
    from heft.data.trust import sentence_on_trust
    from heft.workflow.planning.asked import fractions, validation_readers

    data = dict(job.params.data)
    seed, manifest = int(job.wildcards.s), read_json(job.input.manifest)
    examples, inputs = read_parquet(job.input.examples), InputsFile(job.input.inputs)
    class_names = manifest["class_names"]
    modality = read_back(manifest["modality"])
    settings = DataSettings(**{**data, "noise": NoiseSettings(**data["noise"])}).for_modality(modality.duplicates)
    is_clustered = settings.noise.kind == "clustered"
    near = inputs.verified(None if is_clustered else [])
    if is_clustered and modality.is_fitted:
        near = as_a_model_sees(manifest["modality"], near)
    splits = draw_split(examples, near, settings, seed, class_names)
    rows = splits["train"]["row"].to_numpy()
    write_json(job.output.transform, modality.fit(inputs.verified(rows)[rows]) if modality.is_fitted else {})
    n_train = len(splits["train"])
    if n_train != settings.train:  # Else checked before the run. From the configuration: others draw no split anew.
        check_fractions(fractions(job.config, job.wildcards.e), n_train, f"{job.wildcards.e}.fractions")
    for name, table in splits.items():
        write_parquet(job.output[name], table, {"seed": str(seed), "noise": settings.noise.kind})
    facts = split_facts(examples, splits, settings, seed, class_names)
    write_json(job.output.facts, facts)
    listed = {f"n_{name}": len(facts[name]) for name in ("conflicting_duplicates", "near_duplicates", "leaked")}
    counted = {**listed, "n_copies": facts["duplicates"]["n_copies"]}
    record.metrics({"n_wrong": facts["n_wrong"], **counted, **{f"n_{name}": n for name, n in facts["n"].items()}})
    if any(listed.values()):
        record.artifact(job.output.facts, private=manifest["personal"])
    conflicts = sentence_of(facts, class_names)
    trust = sentence_on_trust(facts, validation_readers(job.config, job.wildcards.e))
    say(job, [sentence for sentence in (conflicts, *facts["notes"], trust) if sentence])


run_stage(main, snakemake, computed_from={"prepare": ""})
