"""The learning rate at each step."""

import math

from heft.training.schedules.declare import Progress
from heft.training.settings import TrainingSettings


def steps_per_epoch(n: int, settings: TrainingSettings) -> int:
    """Batches of one pass over n examples; the last one may be smaller."""
    return math.ceil(n / settings.batch_size)


def learning_rate_at(step: int, settings: TrainingSettings, n: int) -> float:
    """Rate of step 0, 1, ... of a training on n examples: linear warm-up, then the schedule."""
    in_epoch = steps_per_epoch(n, settings)
    warmup, total = settings.warmup_epochs * in_epoch, settings.epochs * in_epoch
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    return settings.learning_rate * settings.share_of_rate(Progress(step - warmup, total - warmup, step // in_epoch))


def learning_rate_of(epoch: int, settings: TrainingSettings, n: int) -> float:
    """Mean rate over the steps of epoch 1, 2, ...; of epoch 0, the initial state, the rate of the first step.

    It is what a state is saved with: the rate of the very last step is near 0 under a cosine, and a method that weighs
    states by their rate would not see the trained one.
    """
    if epoch == 0:
        return learning_rate_at(0, settings, n)
    n_steps = steps_per_epoch(n, settings)
    return sum(learning_rate_at((epoch - 1) * n_steps + step, settings, n) for step in range(n_steps)) / n_steps
