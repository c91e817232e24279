"""checkpoint: chooses the states that methods need, verifies them, and writes them with step and learning rate."""

from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    from heft.artifacts import read_parquet
    from heft.training.checkpoints import load_states, write_checkpoints
    from heft.training.roles import Kept, keep_selected
    from heft.training.settings import CheckpointSettings

    states = load_states(Path(job.input.facts).parent)
    settings, kept = CheckpointSettings(**job.params.checkpoints), Kept(**job.params.kept)
    selected = keep_selected(states, read_parquet(job.input.history), settings, kept)
    write_checkpoints(Path(job.output.facts).parent, selected)
    record.metrics({"n_states": len(selected.runs[0].states), "final_epoch": selected.runs[0].final.epoch})
    record.artifact(job.output.facts)


run_stage(main, snakemake, computed_from={"train": ""})
