"""One new file for each room that trains."""

OPTIMISER = '''"""signs: each entry moves by the learning rate, against the sign of its gradient."""

from heft.training.optimisers.declare import Optimiser, optimiser


@optimiser()
class Signs(Optimiser):
    def __init__(self, parameters, settings, *, shrink: float = 0.0) -> None:
        super().__init__(parameters, settings)
        self.shrink = shrink

    def move(self, index, gradient, learning_rate):
        self.parameters[index].mul_(1 - self.shrink).sub_(gradient.sign(), alpha=learning_rate)
'''

SCHEDULE = '''"""powers: the learning rate falls by a factor with each epoch."""

from heft.training.schedules.declare import schedule


@schedule()
def powers(progress, *, base: float = 0.5) -> float:
    return base**progress.epoch
'''

BASELINE = '''"""damped: nothing is removed; the base model's parameters are made smaller."""

from heft.baselines.declare import baseline


@baseline(title="Damped", paper="none", does="Multiplies all parameters.", trains_on_validation=False)
def damped(context, *, factor: float = 0.9):
    return {name: tensor * factor for name, tensor in context.base.items()}
'''

AUGMENTATION = '''"""late: each example begins a little later."""

import torch

from heft.training.augmentations.declare import augmentation


@augmentation()
def late(shape, *, most: int = 2):
    def shifted(example):
        return example.roll(int(torch.randint(most + 1, ())), dims=-1)

    return shifted
'''

# Room -> the file's name, its text, and the names of its options.
OF_TRAINING: dict[str, tuple[str, str, set[str]]] = {
    "baselines": ("damped", BASELINE, {"factor"}),
    "training/augmentations": ("late", AUGMENTATION, {"most"}),
    "training/optimisers": ("signs", OPTIMISER, {"shrink"}),
    "training/schedules": ("powers", SCHEDULE, {"base"}),
}
