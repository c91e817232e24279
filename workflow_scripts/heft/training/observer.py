"""What is looked at after each epoch of a training: states, loss and accuracy, and that the loss is finite."""

import math
import time
from collections.abc import Callable

import pandas as pd
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.devices import CPU, moved_to
from heft.errors import HeftError
from heft.training.batched.train_many import unstack_state
from heft.training.checkpoints import SavedState
from heft.training.dynamics import dynamics_of_epoch, loss_and_accuracy, predict
from heft.training.settings import TrainingSettings


def check_not_diverged(row: dict[str, float], called: str, settings: TrainingSettings, rate_key: str) -> None:
    """Raises HeftError where the loss of an epoch, a row of the history, is not finite.

    called: model and run. rate_key: where the learning rate stands in the configuration.
    """
    if not math.isfinite(row.get("train_loss", 0.0) + row["validation_loss"]):
        raise HeftError(
            f"the training of model {called} diverged: after epoch {row['epoch']} its loss is not finite "
            f"({rate_key} is {settings.learning_rate:g}); lower {rate_key}."
        )


class Observer:
    """Called after each epoch with the stacked states; keeps them, on the CPU, and says how good they are on the given
    splits."""

    def __init__(
        self,
        model: nn.Module,
        train: Examples | None,
        validation: Examples,
        numbers: list[int],
        after_epoch: Callable[[dict[str, float]], None],
    ) -> None:
        self.model, self.train, self.validation = model, train, validation
        self.numbers, self.after_epoch = numbers, after_epoch
        self.states: dict[int, dict[int, SavedState]] = {number: {} for number in numbers}
        self.rows: list[dict[str, float]] = []
        self.dynamics: list[pd.DataFrame] = []
        self.cpu_seconds = 0.0

    def __call__(self, epoch: int, states: dict[str, Tensor], step: int, learning_rate: float) -> None:
        started = time.process_time()
        for member, number in enumerate(self.numbers):
            state = unstack_state(states, member)
            self.states[number][epoch] = SavedState(epoch, step, learning_rate, moved_to(CPU, state))
            row: dict[str, float] = {"run": number, "epoch": epoch, "step": step, "learning_rate": learning_rate}
            if self.train is not None:
                logits, labels = predict(self.model, state, self.train.inputs), self.train.labels
                row["train_loss"], row["train_accuracy"] = loss_and_accuracy(logits, labels)
                self.dynamics.append(dynamics_of_epoch(number, self.train.ids, epoch, logits, labels))
            logits, labels = predict(self.model, state, self.validation.inputs), self.validation.labels
            row["validation_loss"], row["validation_accuracy"] = loss_and_accuracy(logits, labels)
            self.rows.append(row)
            self.after_epoch(row)
        self.cpu_seconds += time.process_time() - started
