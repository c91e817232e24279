"""Training with augmentation: alone and many models at once, the same bits for a seed, and nowhere but in training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmentation_cases import FLIP, SEVERAL, examples
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training_cases import SETTINGS, SHAPE, N, difference, model_of

from heft.data.input_writer import write_inputs
from heft.data.inputs import InputsFile
from heft.data.mapped_inputs import MappedInputs
from heft.data.modalities.images import Images
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.batched.train_many import stack_states, train_many, train_stacked, unstack_state
from heft.training.loop import state_of, train_one
from heft.training.runs import train_runs


def test_training_with_a_flip_that_is_sure_is_training_on_flipped_pictures() -> None:
    train = examples()
    settings = replace(SETTINGS, augmentation=FLIP)
    flipped = replace(train, inputs=train.inputs.flip(-1))
    for name in ("mlp", "cnn"):
        expected = train_one(model_of(name, dtype=torch.float64), flipped, SETTINGS, order_seed=1)
        trained = train_one(model_of(name, dtype=torch.float64), train, settings, order_seed=1)
        assert difference(trained, expected) < 1e-10


def test_what_changes_nothing_leaves_every_bit_and_the_masks_of_dropout() -> None:
    train = replace(examples(), modality=Images())
    still = replace(SETTINGS, augmentation=[{"horizontal_flip": {"probability": 0.0}}])

    def trained(settings: Any) -> dict[str, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3, dtype=torch.float64))
            return train_one(model, train, settings, order_seed=1)

    with_it, without = trained(still), trained(SETTINGS)
    assert all(torch.equal(with_it[name], without[name]) for name in without)


@pytest.mark.parametrize("orders", [[3, 3, 3], [3, 4, 5]])
def test_models_that_are_trained_together_see_the_pictures_that_each_sees_alone(orders: list[int]) -> None:
    train, settings = examples(), replace(SETTINGS, augmentation=SEVERAL)
    models = [model_of("mlp", seed, torch.float64) for seed in range(3)]
    weights = torch.ones(3, N, dtype=torch.float64)
    weights[1, ::3], weights[2, 1::4] = 0, 0.5
    initial = stack_states([state_of(model) for model in models])
    for together in (
        train_stacked(models[0], initial, train, settings, orders, weights, None, None),
        train_many(models[0], initial, train, settings, order_seeds=orders, weights=weights),
    ):
        for member, order in enumerate(orders):
            model = model_of("mlp", member, torch.float64)
            alone = train_one(model, train, settings, order_seed=order, weights=weights[member])
            assert difference(unstack_state(together, member), alone) < 1e-10


def test_the_same_seed_gives_the_same_bits_and_global_generators_stay() -> None:
    settings, before = replace(SETTINGS, augmentation=[*SEVERAL, "rotation", "color_jitter"]), torch.get_rng_state()
    first, second, other = (
        train_one(model_of("cnn"), examples(torch.float32), settings, order_seed=seed) for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert difference(first, other) > 1e-3
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_recorded_and_judged_is_of_the_pictures_as_they_are() -> None:
    train, settings = examples(torch.float32), replace(SETTINGS, augmentation=FLIP)
    spec = ModelSpec("mlp", {}, SHAPE, 3)
    recorded = train_runs(spec, train, train, settings, {0: RunSeeds(1, 2)})
    last = recorded.history.iloc[-1]
    model = spec.build(0)
    model.load_state_dict(recorded.checkpoints.runs[0].states[settings.epochs].state)
    with torch.no_grad():
        expected = float(cross_entropy(model(train.inputs), train.labels))
        flipped = float(cross_entropy(model(train.inputs.flip(-1)), train.labels))
    assert last["train_loss"] == last["validation_loss"] == pytest.approx(expected)
    assert abs(flipped - expected) > 1e-3


def test_pictures_that_stay_in_their_file_are_augmented_with_the_same_bits(tmp_path: Path) -> None:
    train = replace(examples(torch.float32), modality=Images())
    write_inputs(tmp_path / "inputs.safetensors", train.inputs.numpy())
    kept = MappedInputs(InputsFile(tmp_path / "inputs.safetensors"), np.arange(N), Images())
    settings = replace(SETTINGS, augmentation=SEVERAL)
    expected = train_one(model_of("cnn"), train, settings, order_seed=1)
    mapped = train_one(model_of("cnn"), replace(train, inputs=kept), settings, order_seed=1)
    assert all(torch.equal(mapped[name], expected[name]) for name in expected)
