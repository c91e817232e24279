"""constant: the learning rate stays as it is."""

from heft.training.schedules.declare import Progress, schedule


@schedule()
def constant(progress: Progress) -> float:
    """1 at each step."""
    return 1.0
