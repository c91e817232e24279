"""What a baseline declares, and what it is given.

A baseline is another training that a person would use instead of removing examples: one file, whose function returns
the parameters of the model that it trained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.settings import FineTuningSettings, TrainingSettings


@dataclass(frozen=True)
class BaselineContext:
    """All that a baseline may see; the test split is not among it.

    base: final parameters and buffers of the base model. seeds: what the base model drew.
    """

    spec: ModelSpec
    base: dict[str, Tensor]
    train: Examples
    validation: Examples
    training: TrainingSettings
    fine_tuning: FineTuningSettings
    seeds: RunSeeds


Baseline = Callable[..., dict[str, Tensor]]


def baseline(*, title: str, paper: str, does: str, trains_on_validation: bool) -> Callable[[Baseline], Baseline]:
    """Registers `(context, *, options...) -> parameters and buffers`; the keywords are literals.

    title: the name that tables and figures print. paper: who proposed it. does: what it does, in words.
    trains_on_validation: validation cannot judge it then, so it is never the chosen row.
    """

    def register(function: Baseline) -> Baseline:
        registered: Any = function
        registered.title, registered.paper, registered.does = title, paper, does
        registered.trains_on_validation = trains_on_validation
        return function

    return register
