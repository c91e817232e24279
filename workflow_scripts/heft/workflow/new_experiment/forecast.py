"""Predicts what a run will take: minutes, memory and disk, from its plan and a few steps of the model tried here."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

from heft.workflow.configuration.named_keys import named
from heft.workflow.new_experiment.choice import Choice
from heft.workflow.new_experiment.facts import Facts
from heft.workflow.new_experiment.work import Work

JOB_SECONDS = 0.35  # of CPU, of a job that does next to nothing, in a process that has imported torch
PROCESS_BYTES = 450_000_000  # of a job with torch
TRIED_STEPS = 30
PASSES_A_METHOD = 12  # forward passes over training and validation split that a method costs, roughly
RUN_SECONDS = 15  # of a run whatever it does: the start, the report, the delivery


@dataclass(frozen=True)
class Speeds:
    """CPU seconds. step: {models trained together: of one training step of all of them}. encoding: of one example."""

    step: Mapping[int, float]
    encoding: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """seconds: of a run on `cores`. memory, disk: bytes, at the same time and in all."""

    seconds: float
    memory: int
    disk: int
    cores: int


def forecast(facts: Facts, choice: Choice, work: Work, speeds: Speeds, width: int | None, cores: int) -> Forecast:
    """What the experiment will take on so many cores. width: of the features of an encoder."""
    row_bytes = 4 * (prod(facts.shape) if width is None else width)
    at_once = min(cores, 2 * work.seeds)
    return Forecast(
        RUN_SECONDS + cpu_seconds(facts.n, choice, work, speeds) / cores,
        at_once * (PROCESS_BYTES + 3 * choice.n_train * row_bytes),
        facts.n * (facts.row_bytes + (2 * row_bytes if width is not None else 0)) + 30_000_000 * work.seeds,
        cores,
    )


def cpu_seconds(n: int, choice: Choice, work: Work, speeds: Speeds) -> float:
    """CPU seconds of all jobs; n: of examples that are encoded."""
    n_batches = -(-choice.n_train // choice.training["batch_size"])
    steps = choice.training["epochs"] * n_batches
    training = steps * sum(count * speeds.step[together] for together, count in work.trainings.items())
    scoring = work.scorings * PASSES_A_METHOD * n_batches * speeds.step[1] / 3
    return n * speeds.encoding + training + scoring + work.jobs * JOB_SECONDS


def seconds_a_step(
    model: Any, shape: list[int], n_classes: int, batch_size: int, together: Collection[int]
) -> dict[int, float]:
    """CPU seconds of one step of so many models trained together, as tried on random inputs with one thread."""
    import numpy as np
    import torch

    from heft.data.examples import Examples
    from heft.models.build import ModelSpec
    from heft.training.batched.train_many import stack_states, train_many
    from heft.training.loop import state_of
    from heft.training.settings import TrainingSettings

    name, options = named(model)
    network = ModelSpec(name, options, shape, n_classes).build(seed=0)
    inputs, labels = torch.randn(batch_size, *shape), torch.randint(n_classes, (batch_size,))
    examples = Examples(np.arange(batch_size), inputs, labels, labels)

    def seconds_of(n_models: int, n_steps: int) -> float:
        settings = TrainingSettings(epochs=n_steps, batch_size=batch_size)
        start = time.process_time()
        train_many(
            network, stack_states([state_of(network)] * n_models), examples, settings, order_seeds=[0] * n_models
        )
        return time.process_time() - start

    with on_one_thread():
        # The first steps are slower, and before them it is tried whether models can be trained together.
        before = {n_models: seconds_of(n_models, 3) for n_models in (1, *together)}
        return {n: max(0.0, seconds_of(n, TRIED_STEPS + 3) - first) / TRIED_STEPS for n, first in before.items()}


def seconds_an_encoding(encoder: Any, batch: Any) -> float:
    """CPU seconds that the encoder takes for one example of the batch, with one thread."""
    with on_one_thread():
        encoder.encode(batch)  # the first call is slower
        start = time.process_time()
        encoder.encode(batch)
        return (time.process_time() - start) / len(batch)


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Lets torch compute as in a job: several threads would wait for each other, which counts as CPU time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
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
