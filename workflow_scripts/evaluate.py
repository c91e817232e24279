"""evaluate: the retrained models on validation and test, and how well wrong labels were found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import code_digest, dataset_of, device_of, parent_keys, run_unrecorded, seed_of


def main(job: Any) -> None:
    from heft.artifacts import read_json, read_parquet, read_tensors, write_json
    from heft.curation.chosen import ChosenAction
    from heft.curation.notes import notes_on
    from heft.data.examples import load_examples
    from heft.evaluation.measuring import Judge
    from heft.evaluation.rows import Evaluated, Splits, evaluate_variant
    from heft.models.build import ModelSpec
    from heft.workflow.tracking.records import append_comparison

    experiment, seed = seed_of(job)
    manifest, plan = read_json(job.input.manifest), read_parquet(job.input.plan)
    model = ModelSpec.for_data(job.params.model, manifest)
    data = Path(job.input.manifest).parent
    scoring = read_json(job.input.score_cost) if job.input.score_cost else {}
    actions = [ChosenAction.of(entry) for entry in job.params.actions]
    with device_of(job) as device:
        splits = Splits(*(load_examples(data, job.input[name], device) for name in ("train", "validation", "test")))
        evaluated = evaluate_variant(
            Evaluated(experiment, seed, job.wildcards.v, **job.params.variant),
            model.build(0, device),
            read_tensors(job.input.states),
            plan,
            splits,
            read_parquet(job.input.scores) if job.input.scores else None,
            read_json(job.input.retrain_cost) | scoring.get("cost", {}),
            Judge(**job.params.measure),
            actions=actions,
            further_cpu_seconds=seconds_by_action(job.params.further_costs),
        )
    notes = notes_on(plan, splits.train.labels.cpu().numpy(), manifest["class_names"], actions)
    warnings = [*scoring.get("warnings", []), *notes]
    write_json(job.output.metrics, evaluated | {"warnings": warnings})
    append_comparison(
        job.output.record,
        evaluated["rows"],
        parents=parent_keys(experiment, seed, computed_from(job)),
        tags={"code": code_digest(job)},
        dataset=dataset_of(job),
    )


def computed_from(job: Any) -> dict[str, str]:
    """{stage: variant} of the runs behind the rows."""
    trained_by = "baseline" if job.params.baseline else "retrain"
    scored = {"score": job.wildcards.v} if job.input.scores else {}
    return {trained_by: job.wildcards.v, **scored, "checkpoint": ""}


def seconds_by_action(files: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """CPU seconds of the further models that each action needs, from {action: {need: file}} of their costs."""
    from heft.artifacts import read_json

    def seconds(file: str) -> float:
        cost = read_json(file)
        return float(cost["cpu_seconds"] + cost["training_cpu_seconds"])

    return {action: sum(map(seconds, named.values())) for action, named in files.items()}


run_unrecorded(main, snakemake)
