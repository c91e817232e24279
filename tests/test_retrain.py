"""Retraining: the base model's start and batches for each block of the plan, with the plan's labels and weights."""

import time

import numpy as np
import pandas as pd
import pytest
import torch
from plain_training import N_CLASSES, SETTINGS, SPEC, cosine_rates, difference, examples, plain_training, start_of

from heft.curation.retrain import retrain
from heft.curation.states import retrained_state
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.runs import train_runs

TRAIN = examples()
SEEDS = RunSeeds(init=5, order=6)


def block(
    fraction: float, weights: torch.Tensor, labels: torch.Tensor = TRAIN.labels, action: str = "remove"
) -> pd.DataFrame:
    """Of a plan, in another order than that of the training split."""
    table = pd.DataFrame({"id": TRAIN.ids, "action": action, "fraction": fraction, "label": labels, "weight": weights})
    return table.iloc[np.random.default_rng(0).permutation(len(table))]


def without(first: int, last: int) -> torch.Tensor:
    """Weight 0 from `first` to before `last`, 1 elsewhere."""
    weights = torch.ones(len(TRAIN))
    weights[first:last] = 0
    return weights


WEIGHTS = {0.1: without(0, 5), 0.3: without(9, 20)}
RELABELLED = (TRAIN.labels + (torch.arange(len(TRAIN)) < 9)) % N_CLASSES


def by_hand(weights: torch.Tensor, labels: torch.Tensor = TRAIN.labels) -> dict[str, torch.Tensor]:
    return plain_training(start_of(5), TRAIN.inputs, labels, 6, cosine_rates(SETTINGS, 3), weights=weights)


@pytest.fixture(scope="module")
def states() -> dict[str, torch.Tensor]:
    plan = [block(fraction, weights) for fraction, weights in WEIGHTS.items()]
    plan += [block(0.3, without(0, 0), RELABELLED, "relabel"), block(0.2, 0.5 + without(0, 5))]
    retrained, cost = retrain(SPEC, TRAIN, pd.concat(plan), SETTINGS, SEEDS)
    assert cost.keys() == {"retrain_cpu_seconds"}
    return retrained


@pytest.mark.parametrize("fraction", WEIGHTS)
def test_a_model_is_trained_from_the_base_models_start_in_its_order_without_what_the_plan_removes(
    states: dict[str, torch.Tensor], fraction: float
) -> None:
    assert difference(retrained_state(states, "remove", fraction), by_hand(WEIGHTS[fraction])) < 1e-5
    assert difference(retrained_state(states, "remove", fraction), by_hand(without(0, 0))) > 1e-2


def test_a_model_is_trained_on_the_labels_of_the_plan(states: dict[str, torch.Tensor]) -> None:
    assert difference(retrained_state(states, "relabel", 0.3), by_hand(without(0, 0), RELABELLED)) < 1e-5
    assert difference(retrained_state(states, "relabel", 0.3), by_hand(without(0, 0))) > 1e-2


def test_weights_between_none_and_one_count_as_they_are(states: dict[str, torch.Tensor]) -> None:
    assert difference(retrained_state(states, "remove", 0.2), by_hand(0.5 + without(0, 5))) < 1e-5


def test_the_models_of_one_plan_share_their_start_and_their_batches() -> None:
    twice = pd.concat([block(fraction, without(0, 5)) for fraction in (0.1, 0.2)])
    retrained, _ = retrain(SPEC, TRAIN, twice, SETTINGS, SEEDS)
    assert difference(retrained_state(retrained, "remove", 0.1), retrained_state(retrained, "remove", 0.2)) < 1e-6


def test_the_cost_of_one_model_is_its_share_of_what_passed() -> None:
    before = time.process_time()
    plan = pd.concat([block(fraction, without(0, 5)) for fraction in (0.1, 0.2, 0.3, 0.4)])
    cost = retrain(SPEC, TRAIN, plan, SETTINGS, SEEDS)[1]["retrain_cpu_seconds"]
    assert 0 < 4 * cost <= time.process_time() - before


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_plan_that_keeps_everything_gives_the_base_model(name: str) -> None:
    spec = SPEC if name == "mlp" else ModelSpec("cnn", {}, TRAIN.inputs.shape[1:], N_CLASSES)
    base = train_runs(spec, TRAIN, TRAIN, SETTINGS, {0: SEEDS}).checkpoints.runs[0].states[SETTINGS.epochs].state
    retrained, _ = retrain(spec, TRAIN, block(0.0, without(0, 0), action=""), SETTINGS, SEEDS)
    assert difference(retrained_state(retrained, "", 0.0), base) == 0


def test_retrained_models_are_named_by_action_and_fraction(states: dict[str, torch.Tensor]) -> None:
    prefixes = {name.partition("/")[0] for name in states}
    assert prefixes == {"remove-0.1", "remove-0.3", "remove-0.2", "relabel-0.3"}
    assert {name.partition("/")[2] for name in states} == set(start_of(0))
    with pytest.raises(HeftError, match=r"the retrained models hold no remove-0\.4"):
        retrained_state(states, "remove", 0.4)


def test_an_action_is_no_other_whose_name_begins_alike() -> None:
    retrained = {"remove-0.1/w": torch.zeros(1), "remove-0.15/w": torch.ones(1)}
    assert retrained_state(retrained, "remove", 0.1) == {"w": torch.zeros(1)}
