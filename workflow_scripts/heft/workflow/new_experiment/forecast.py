"""Predicts what a run will take: minutes, memory and disk, from a few steps of the chosen model on this machine."""

import os
import time
from dataclasses import dataclass
from math import prod
from typing import Any

from heft.workflow.new_experiment.choice import Choice
from heft.workflow.new_experiment.facts import Facts

SEEDS = 3
JOB_SECONDS = 1.2  # of CPU, of a job that does next to nothing
PROCESS_BYTES = 450_000_000  # of a job with torch
TRIED_STEPS = 30
FOLDS = 5
PASSES_A_METHOD = 12  # forward passes over training and validation split that a method costs, roughly
RUN_SECONDS = 25  # of a run whatever it does: the start, the report, the delivery


@dataclass(frozen=True)
class Forecast:
    """seconds: of a run on `cores`. memory, disk: bytes, at the same time and in all."""

    seconds: float
    memory: int
    disk: int
    cores: int


def forecast(facts: Facts, choice: Choice, seconds_an_encoding: float, width: int | None) -> Forecast:
    """What the experiment will take. width: of the features of an encoder, which takes so long for one example."""
    shape = [width] if width is not None else facts.shape
    step = seconds_a_step(choice.model, shape, len(facts.counts), choice.training["batch_size"])
    n_train = choice.n_train
    steps = choice.training["epochs"] * -(-n_train // choice.training["batch_size"])
    trainings = 1 + FOLDS + 1 + (len(choice.methods)) * len(choice.fractions)
    scoring = len(choice.methods) * PASSES_A_METHOD * (n_train / choice.training["batch_size"]) * step / 3
    jobs = 6 + 5 * len(choice.methods)
    cores = os.cpu_count() or 1
    cpu = facts.n * seconds_an_encoding + SEEDS * (trainings * steps * step + scoring + jobs * JOB_SECONDS)
    row_bytes = 4 * prod(shape)
    return Forecast(
        RUN_SECONDS + cpu / cores,
        min(cores, SEEDS * 2) * (PROCESS_BYTES + 3 * n_train * row_bytes),
        facts.n * (facts.row_bytes + (2 * row_bytes if width is not None else 0)) + 30_000_000 * SEEDS,
        cores,
    )


def seconds_a_step(model: Any, shape: list[int], n_classes: int, batch_size: int) -> float:
    """CPU seconds of one training step of the model, as tried on random inputs with one thread."""
    import torch

    from heft.models.build import ModelSpec

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        name, options = (model, {}) if isinstance(model, str) else next(iter(model.items()))
        network = ModelSpec(name, options, shape, n_classes).build(seed=0).train()
        inputs, labels = torch.randn(batch_size, *shape), torch.randint(n_classes, (batch_size,))
        for tried in range(TRIED_STEPS + 3):
            if tried == 3:  # the first steps are slower
                start = time.process_time()
            torch.nn.functional.cross_entropy(network(inputs), labels).backward()
        return (time.process_time() - start) / TRIED_STEPS
    finally:
        torch.set_num_threads(threads)


def in_words(predicted: Forecast) -> str:
    """One line for a person."""
    minutes = predicted.seconds / 60
    duration = "about a minute" if minutes < 1.5 else f"about {minutes:.0f} minutes"
    if minutes >= 90:
        duration = f"about {minutes / 60:.0f} hours"
    return (
        f"{duration} on {predicted.cores} cores, {predicted.memory / 1e9:.1f} GB of memory, "
        f"{max(0.1, predicted.disk / 1e9):.1f} GB of disk"
    )
