"""cosine: the learning rate falls towards 0 as half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983)."""

import math

from heft.training.schedules.declare import Progress, schedule


@schedule()
def cosine(progress: Progress) -> float:
    """1 at the first step; 0 would be that after the last."""
    return (1 + math.cos(math.pi * progress.step / progress.n_steps)) / 2
