"""Further training of a trained model on the validation split."""

from dataclasses import replace

from torch import Tensor

from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.runs import TrainedRuns, train_runs
from heft.training.settings import FineTuningSettings, TrainingSettings


def fine_tune(
    spec: ModelSpec,
    state: dict[str, Tensor],
    validation: Examples,
    training: TrainingSettings,
    settings: FineTuningSettings,
    seeds: RunSeeds,
    number: int = 0,
    *,
    may_diverge: bool = False,
) -> TrainedRuns:
    """Run `number`: from `state`, by the training loop and its optimiser, at the constant rate of `settings`.

    Unless `may_diverge`, raises HeftError where the loss does not stay finite.
    """
    further = replace(
        training,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        schedule="constant",
        warmup_epochs=0,
    )
    return train_runs(
        spec,
        validation,
        validation,
        further,
        {number: seeds},
        initial={number: state},
        called="fine-tuned member {}".format,
        rate_key="fine_tuning.learning_rate",
        may_diverge=may_diverge,
        dynamics=False,  # the training examples are those of the validation split
    )
