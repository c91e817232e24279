"""step: the learning rate is made smaller after some epochs, as torch.optim.lr_scheduler.MultiStepLR does."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt, Le, MinLen

from heft.training.schedules.declare import Progress, schedule


@schedule()
def step(
    progress: Progress,
    *,
    epochs: Annotated[Sequence[Annotated[int, Gt(0)]], MinLen(1)],
    factor: Annotated[float, Gt(0), Le(1)] = 0.1,
) -> float:
    """Multiplied by `factor` once after each of `epochs`, which count from the start, a warm-up included."""
    return factor ** sum(progress.epoch >= epoch for epoch in epochs)
