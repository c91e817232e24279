"""What a schedule declares: the share of the learning rate at each step."""

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """Where a training is: step 0, 1, ... of `n_steps`, those of the warm-up left out; epoch 0, 1, ... of all."""

    step: int
    n_steps: int
    epoch: int


Share = Callable[..., float]


def schedule() -> Callable[[Share], Share]:
    """Registers a function `(progress, *, options...) -> share`, by which `learning_rate` is multiplied."""
    return lambda function: function
