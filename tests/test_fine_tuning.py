"""Fine-tuning against a plain loop: from the given state, on validation, at a constant rate, for its own epochs."""

from dataclasses import replace

import pytest
import torch
from plain_training import SETTINGS, SPEC, difference, examples, plain_logits, plain_training, start_of
from torch.nn.functional import cross_entropy

from heft.auxiliary.training import AuxiliaryContext
from heft.baselines.declare import BaselineContext
from heft.registry import declarations
from heft.seeds import RunSeeds, derive_seed
from heft.training.fine_tuning import fine_tune
from heft.training.settings import FineTuningSettings, TrainingSettings

TRAIN, VALIDATION = examples(), examples(20, seed=1, prefix="v")
FINE_TUNING = FineTuningSettings(epochs=2, learning_rate=0.05)
BASE = start_of(77)
N_STEPS = 2 * 3  # epochs times batches of 8 in 20 validation examples


def by_hand(order_seed: int, start: dict[str, torch.Tensor] = BASE) -> dict[str, torch.Tensor]:
    return plain_training(start, VALIDATION.inputs, VALIDATION.labels, order_seed, [0.05] * N_STEPS)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("warmup_epochs", [0, 1])
def test_it_goes_on_from_the_state_on_validation_at_the_constant_rate_whatever_the_schedule_of_training(
    schedule: str, warmup_epochs: int
) -> None:
    training = replace(SETTINGS, schedule=schedule, warmup_epochs=warmup_epochs)
    trained = fine_tune(SPEC, BASE, VALIDATION, training, FINE_TUNING, RunSeeds(init=1, order=2))
    states = trained.checkpoints.runs[0].states
    assert list(states) == [0, 1, 2]
    assert difference(states[0].state, BASE) == 0
    assert difference(states[2].state, by_hand(order_seed=2)) < 1e-6
    assert [saved.learning_rate for saved in states.values()] == pytest.approx([0.05] * 3)


def test_its_history_is_that_of_the_validation_split() -> None:
    trained = fine_tune(SPEC, BASE, VALIDATION, SETTINGS, FINE_TUNING, RunSeeds(1, 2), number=6)
    assert set(trained.history["run"]) == {6}
    logits = plain_logits(list(by_hand(order_seed=2).values()), VALIDATION.inputs)
    told = trained.history.iloc[-1]
    assert told["validation_loss"] == pytest.approx(float(cross_entropy(logits, VALIDATION.labels)), rel=1e-5)
    assert told["validation_accuracy"] == float((logits.argmax(1) == VALIDATION.labels).double().mean())
    assert trained.dynamics.empty


@pytest.mark.parametrize(
    ("member", "resample", "seed", "names"),
    [
        (0, ["split", "init"], 4, ("init",)),
        (0, ["split"], 0, ("init",)),  # frozen as the base model is: the streams of seed 0
        (3, ["split"], 4, ("init", "members", 3)),
    ],
)
def test_a_member_is_fine_tuned_in_the_batch_order_of_its_own_seeds(
    member: int, resample: list[str], seed: int, names: tuple[str | int, ...]
) -> None:
    context = AuxiliaryContext(SPEC, TRAIN, VALIDATION, SETTINGS, 4, resample, FINE_TUNING, {member: BASE})
    trained = declarations("auxiliary")["fine_tunes"].load()().train(context, [member])
    state = trained.checkpoints.runs[member].states[2].state
    assert difference(state, by_hand(derive_seed(seed, *names, "order"))) < 1e-6


def test_the_baseline_is_the_last_state_of_that_and_sees_no_training_example() -> None:
    context = BaselineContext(SPEC, BASE, TRAIN, VALIDATION, SETTINGS, FINE_TUNING, RunSeeds(1, 2))
    state = declarations("baselines")["finetuned"].load()(context)
    assert difference(state, by_hand(order_seed=2)) < 1e-6
    elsewhere = replace(context, train=examples(23, seed=9))
    assert difference(declarations("baselines")["finetuned"].load()(elsewhere), state) == 0


def test_momentum_decay_and_batch_size_are_those_of_training() -> None:
    training = TrainingSettings(epochs=9, batch_size=5, learning_rate=9.0, momentum=0.3, weight_decay=0.4)
    state = fine_tune(SPEC, BASE, VALIDATION, training, FINE_TUNING, RunSeeds(1, 2)).checkpoints.runs[0].states[2].state
    expected = plain_training(BASE, VALIDATION.inputs, VALIDATION.labels, 2, [0.05] * 2 * 4, settings=training)
    assert difference(state, expected) < 1e-6
