"""check_model: whether the experiment's model is sound on its data's shapes, before anything is trained."""

import sys
from pathlib import Path
from typing import Any

from heft.workflow.runtime.stage import run_stage, say
from heft.workflow.tracking.records import RunRecord


def main(job: Any, record: RunRecord) -> None:
    name, log = job.params.model["name"], Path(str(job.log[0]))
    # Stays where the model takes the whole process with it.
    say(job, [f"model {name} ended the process that built and ran it (os._exit, a crash, or too little memory)"])

    import torch

    from heft.artifacts import read_json, write_json
    from heft.checking.data import first_inputs
    from heft.checking.model_check import check_model
    from heft.checking.table import table
    from heft.devices import computing
    from heft.errors import HeftError
    from heft.models.build import ModelSpec
    from heft.training.augment import Augmenter
    from heft.training.settings import TrainingSettings
    from heft.workflow.planning.asked import tried_on

    spec = ModelSpec.for_data(job.params.model, read_json(job.input.manifest))
    inputs, modality = first_inputs(Path(job.input.inputs).parent)
    settings = TrainingSettings(augmentation=job.params.augmentation)
    Augmenter(settings, inputs, modality, order_seed=0).inputs(torch.arange(len(inputs)), epoch=1)
    tried = tried_on(job.config, job.wildcards.e)
    with computing(job.params.device["name"]) as device:  # in float32, whatever the precision of trainings
        checked = check_model(spec, **tried, inputs=inputs, device=device)
    if checked.mistake:
        raise HeftError(checked.mistake)
    log.write_text(table(checked), encoding="utf-8")
    for sentence in checked.cannot:
        print(f"check_model {job.wildcards.e}: {sentence}", file=sys.stderr)
    write_json(job.output.check, checked.as_json())
    record.artifact(job.output.check)


run_stage(main, snakemake, computed_from={"prepare": ""})
