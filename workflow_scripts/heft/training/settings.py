"""What the configuration says about training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen

from heft.options import Named, named
from heft.registry import find


@dataclass(frozen=True)
class TrainingSettings:
    """What a training does beside the batches that it is given.

    momentum: of `sgd` alone. label_smoothing: share of each label that is spread over all classes. augmentation: of
    images, in this order, whenever a training sees one. workers: processes that make batches ahead of a training; no
    number depends on them.
    The defaults were chosen on validation accuracy by benchmarks/training_budget.py.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    epochs: Annotated[int, Gt(0), Le(10_000)] = 10
    batch_size: Annotated[int, Gt(0), Le(10**9)] = 64
    optimiser: Named = "sgd"
    learning_rate: Annotated[float, Gt(0)] = 0.1
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    weight_decay: Annotated[float, Ge(0)] = 0.005
    schedule: Named = "cosine"
    warmup_epochs: Annotated[int, Ge(0)] = 0
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0
    augmentation: Annotated[list[Named], MaxLen(100)] = field(default_factory=list)
    workers: Annotated[int, Ge(0), Le(256)] = 0

    @cached_property
    def share_of_rate(self) -> Callable[..., float]:
        """The schedule with its options: from the progress of a training to the share of `learning_rate`."""
        name, options = named(self.schedule)
        return find("training/schedules", name).configured(options)


@dataclass(frozen=True)
class FineTuningSettings:
    """Further training of the final state on the validation split: a fixed number of epochs at a fixed rate.

    Nothing is left to choose them on; the defaults are those of training with a tenth of its rate.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    epochs: Annotated[int, Gt(0), Le(10_000)] = 10
    learning_rate: Annotated[float, Gt(0)] = 0.01


@dataclass(frozen=True)
class CheckpointSettings:
    """Which epoch states are kept: `spaced` evenly spaced ones up to the last, and the `early` first ones.

    final: the state that scores are taken at, the last epoch or the best on validation.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    final: Literal["last", "best"] = "last"
    spaced: Annotated[int, Gt(0)] = 5
    early: Annotated[int, Gt(0)] = 5
