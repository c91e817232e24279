"""What a kind of further trained models is given, and what it does with it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds, run_seeds
from heft.training.runs import TrainedRuns
from heft.training.settings import FineTuningSettings, TrainingSettings

# Members differ in initial weights and batch order, whatever the experiment freezes over its seeds.
VARIES = ("init",)


@dataclass(frozen=True)
class AuxiliaryContext:
    """All that a kind may see when it trains; the test split is not among it.

    resample: what the experiment draws anew with its seed. continued: by number, the final parameters and buffers that
    a model goes on from, where the kind continues others.
    """

    spec: ModelSpec
    train: Examples
    validation: Examples
    training: TrainingSettings
    seed: int
    resample: Sequence[str] = VARIES
    fine_tuning: FineTuningSettings = field(default_factory=FineTuningSettings)
    continued: Mapping[int, dict[str, Tensor]] = field(default_factory=dict)

    def seeds_of(self, member: int) -> RunSeeds:
        """What a member draws: number 0 as the base model does, the others whatever the experiment freezes."""
        return run_seeds(self.seed, member, self.resample if member == 0 else VARIES)


class Auxiliary(ABC):
    """A kind of further trained models, made by the training loop of the base model."""

    @abstractmethod
    def train(self, context: AuxiliaryContext, numbers: Sequence[int]) -> TrainedRuns:
        """The models of these numbers, as runs of the same numbers."""

    def held_out(self, labels: Tensor, units: Tensor | None, seed: int, number: int) -> Tensor:
        """The training examples that the model of that number is trained without: bool [n_train], by default none.

        labels: the given ones, on the CPU. units: int64 [n_train], on the CPU, alike for examples of one group and for
        near-duplicates, of which a model should hold out all or none; None where each example is one of its own.
        """
        return torch.zeros(len(labels), dtype=torch.bool)

    def held_out_of(self, train: Examples, seed: int, number: int) -> Tensor:
        """The same of a training split on any device."""
        units = None if train.units is None else train.units.cpu()
        return self.held_out(train.labels.cpu(), units, seed, number)

    def weights(self, context: AuxiliaryContext, numbers: Sequence[int]) -> dict[int, Tensor]:
        """Weights [n_train] by number: held-out examples keep their places in the batches, with weight 0."""
        train, dtype = context.train, context.train.inputs.dtype
        return {number: (~self.held_out_of(train, context.seed, number)).to(dtype) for number in numbers}
