"""Trains the runs that a stage asks for, and records them: what `train` and `auxiliary` call."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.batched.batchable import one_by_one
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.checkpoints import Checkpoints, Run, SavedState
from heft.training.dynamics import dynamics_of_epoch, loss_and_accuracy, no_dynamics, predict
from heft.training.loop import state_of
from heft.training.settings import TrainingSettings


@dataclass(frozen=True)
class TrainedRuns:
    """Every state of every run (no roles yet), and tables of what happened.

    history: run, epoch, step, learning_rate, train_loss, train_accuracy, validation_loss, validation_accuracy.
    dynamics: run, id, epoch, label_logit, largest_other_logit, correct.
    notes: sentences for the job's log.
    """

    checkpoints: Checkpoints
    history: pd.DataFrame
    dynamics: pd.DataFrame
    notes: tuple[str, ...] = ()


def train_runs(
    spec: ModelSpec,
    train: Examples,
    validation: Examples,
    settings: TrainingSettings,
    seeds: Mapping[int, RunSeeds],
    *,
    initial: Mapping[int, dict[str, Tensor]] | None = None,
    weights: Mapping[int, Tensor] | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    called: Callable[[int], str] | None = None,
    rate_key: str = "training.learning_rate",
    may_diverge: bool = False,
    dynamics: bool = True,
) -> TrainedRuns:
    """Trains one model for each run number of `seeds`, together where the architecture allows.

    initial: states to start from in the place of drawn ones. weights [n_train]: of the examples, 1 where absent.
    dynamics: whether the training examples are predicted after each epoch; without it the table of dynamics is empty,
    and the history says nothing of the training split.
    after_epoch gets each row of the history as it is made. The cost is that of the training steps alone: what is
    recorded after an epoch is for people, no method needs it.
    Unless `may_diverge`, raises HeftError after the first epoch whose loss is not finite: it names the run, as
    `called` does by its number, and `rate_key`, where its learning rate stands in the configuration.
    """
    started = time.process_time()
    numbers = list(seeds)
    models = {number: spec.build(seeds[number].init) for number in numbers}
    model = models[numbers[0]]
    states = initial or {number: state_of(models[number]) for number in numbers}

    def look_at(row: dict[str, float]) -> None:
        if after_epoch:
            after_epoch(row)
        if not may_diverge and not math.isfinite(row.get("train_loss", 0.0) + row["validation_loss"]):
            number = int(row["run"])
            run = f", {called(number)}," if called else "" if numbers == [0] else f", run {number},"
            raise HeftError(
                f"the training of model {spec.name}{run} diverged: after epoch {row['epoch']} its loss is not finite "
                f"({rate_key} is {settings.learning_rate:g}); lower {rate_key}."
            )

    observer = _Observer(model, train if dynamics else None, validation, numbers, look_at)
    reasons: list[str] = []
    train_many(
        model,
        stack_states([states[number] for number in numbers]),
        train,
        settings,
        order_seeds=[seeds[number].order for number in numbers],
        weights=torch.stack([weights[number] for number in numbers]) if weights else None,
        after_epoch=observer,
        told=reasons.append,
    )
    cpu_seconds = time.process_time() - started - observer.cpu_seconds
    runs = {
        number: Run(observer.states[number], cpu_seconds=round(cpu_seconds / len(numbers), 3)) for number in numbers
    }
    return TrainedRuns(
        Checkpoints(model=spec, runs=runs, cpu_seconds=round(cpu_seconds, 3)),
        history=pd.DataFrame(observer.rows).sort_values(["run", "epoch"], ignore_index=True),
        dynamics=pd.concat(observer.dynamics, ignore_index=True) if dynamics else no_dynamics(),
        notes=tuple(one_by_one(spec.name, reason) for reason in reasons),
    )


class _Observer:
    """Called after each epoch with the stacked states; keeps them and says how good they are on the given splits."""

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
            self.states[number][epoch] = SavedState(epoch, step, learning_rate, state)
            row: dict[str, float] = {"run": number, "epoch": epoch, "step": step, "learning_rate": learning_rate}
            if self.train is not None:
                logits, labels = predict(self.model, state, self.train.inputs), self.train.labels
                row["train_loss"], row["train_accuracy"] = loss_and_accuracy(logits, labels)
                self.dynamics.append(dynamics_of_epoch(number, self.train.ids, epoch, logits, labels))
            validation_logits = predict(self.model, state, self.validation.inputs)
            found = loss_and_accuracy(validation_logits, self.validation.labels)
            row["validation_loss"], row["validation_accuracy"] = found
            self.rows.append(row)
            self.after_epoch(row)
        self.cpu_seconds += time.process_time() - started
