"""Trains the runs that a stage asks for, and records them: what `train` and `auxiliary` call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from heft.data.examples import Examples
from heft.devices import moved_to
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.batched.batchable import note_on_training_in_turn
from heft.training.batched.train_many import stack_states, train_many
from heft.training.checkpoints import Checkpoints, Run
from heft.training.dynamics import no_dynamics
from heft.training.loader import cpu_seconds
from heft.training.loop import state_of
from heft.training.observer import Observer, check_not_diverged
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


# longer: half of it says what it is given
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
    """Trains one model for each run number of `seeds`, on the device of `train`; together where the model allows it.

    initial: states to start from in the place of drawn ones. weights [n_train]: of the examples, 1 where absent.
    dynamics: whether the training examples are predicted after each epoch; without it the table of dynamics is empty,
    and the history says nothing of the training split.
    after_epoch gets each row of the history as it is made. The cost is that of the training steps alone: what is
    recorded after an epoch is for people, no method needs it.
    Unless `may_diverge`, raises HeftError after the first epoch whose loss is not finite: it names the run, as
    `called` does by its number, and `rate_key`, where its learning rate stands in the configuration.
    """
    started = cpu_seconds()
    numbers = list(seeds)
    models = {number: spec.build(seeds[number].init, train.device) for number in numbers}
    model = models[numbers[0]]
    states = initial or {number: state_of(models[number]) for number in numbers}

    def look_at(row: dict[str, float]) -> None:
        if after_epoch:
            after_epoch(row)
        if not may_diverge:
            name = called or ("run {}".format if numbers != [0] else None)
            check_not_diverged(row, f"{spec.name}, {name(int(row['run']))}," if name else spec.name, settings, rate_key)

    observer = Observer(model, train if dynamics else None, validation, numbers, look_at)
    reasons: list[str] = []
    train_many(
        model,
        moved_to(train.device, stack_states([states[number] for number in numbers])),
        train,
        settings,
        order_seeds=[seeds[number].order for number in numbers],
        weights=torch.stack([weights[number] for number in numbers]) if weights else None,
        after_epoch=observer,
        told=reasons.append,
    )
    taken = cpu_seconds() - started - observer.cpu_seconds
    notes = tuple(note_on_training_in_turn(spec.name, reason) for reason in reasons)
    return _recorded(spec, observer, taken, notes)


def _recorded(spec: ModelSpec, observer: Observer, taken: float, notes: tuple[str, ...]) -> TrainedRuns:
    each = round(taken / len(observer.states), 3)
    runs = {number: Run(states, cpu_seconds=each) for number, states in observer.states.items()}
    return TrainedRuns(
        Checkpoints(model=spec, runs=runs, cpu_seconds=round(taken, 3)),
        history=pd.DataFrame(observer.rows).sort_values(["run", "epoch"], ignore_index=True),
        dynamics=pd.concat(observer.dynamics, ignore_index=True) if observer.dynamics else no_dynamics(),
        notes=notes,
    )
