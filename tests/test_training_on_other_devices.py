"""Training, and what is done with its states, follow the device of the examples; what is kept comes to the CPU."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from meta_device import META, MetaDevice, OtherDeviceError, on_meta
from torch import nn
from training_cases import N_CLASSES, SETTINGS, SHAPE, batch_norm_model, examples, model_of

from heft.auxiliary.folds import Folds
from heft.auxiliary.training import AuxiliaryContext
from heft.checking.subject import subject_of
from heft.curation.retrain import retrain
from heft.devices import CPU, bfloat16_passes
from heft.evaluation.measuring import numbers_of
from heft.kernels.out_of_fold import held_out_probabilities
from heft.models.build import ModelSpec
from heft.registry import declarations
from heft.seeds import RunSeeds
from heft.training.batched.batchable import reason_to_train_in_turn
from heft.training.batched.train_many import stack_states, train_many, train_stacked
from heft.training.fine_tuning import fine_tune
from heft.training.loop import state_of, train_one
from heft.training.runs import train_runs
from heft.training.settings import FineTuningSettings

TRAIN, SPEC, SEEDS = examples(), ModelSpec("mlp", {}, SHAPE, N_CLASSES), RunSeeds(1, 2)
ELSEWHERE = TRAIN.to(META)
WEIGHTS = (torch.arange(len(TRAIN)) % 3 > 0).float()
OPTIMISERS = sorted(declarations("training/optimisers"))


def devices_of(states: dict[str, torch.Tensor]) -> set[torch.device]:
    return {tensor.device for tensor in states.values()}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("build", [lambda: model_of("mlp"), lambda: model_of("cnn"), batch_norm_model])
def test_a_training_stays_on_the_device(build: object, optimiser: str) -> None:
    model: nn.Module = build().to(META)  # type: ignore[operator]
    settings = replace(SETTINGS, optimiser=optimiser, label_smoothing=0.1)
    with MetaDevice():
        trained = train_one(model, ELSEWHERE, settings, order_seed=0, weights=WEIGHTS)
    assert devices_of(trained) == {META}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("orders", [(1, 1), (1, 2)])
def test_a_training_of_many_models_stays_on_the_device(orders: tuple[int, int], optimiser: str) -> None:
    model, settings = model_of("mlp").to(META), replace(SETTINGS, optimiser=optimiser)
    initial, weights = stack_states([state_of(model)] * 2), torch.stack([WEIGHTS, 1 - WEIGHTS])
    labels = torch.stack([TRAIN.labels, TRAIN.labels.roll(1)])
    with MetaDevice():
        trained = train_stacked(model, initial, ELSEWHERE, settings, orders, weights, labels, None)
        in_turn = train_many(model, initial, ELSEWHERE, settings, order_seeds=orders, weights=weights, labels=labels)
    assert devices_of(trained) == devices_of(in_turn) == {META}


def test_the_trial_whether_models_train_together_stays_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its look at memory, which tensors on `meta` have none of."""
    monkeypatch.setattr("heft.training.batched.batchable.side_effect", lambda *_: None)
    model = model_of("mlp").to(META)
    initial, weights = stack_states([state_of(model)] * 2), torch.stack([WEIGHTS, WEIGHTS])
    with MetaDevice():
        assert reason_to_train_in_turn(model, initial, ELSEWHERE, weights, shared=True) is None


def test_states_histories_and_dynamics_of_a_training_come_to_the_cpu() -> None:
    with MetaDevice():
        runs = train_runs(SPEC, ELSEWHERE, ELSEWHERE, SETTINGS, {0: SEEDS, 1: SEEDS})
        further = fine_tune(
            SPEC, runs.checkpoints.runs[0].states[3].state, ELSEWHERE, SETTINGS, FineTuningSettings(2), SEEDS
        )
    for trained in (runs, further):
        assert {
            d for run in trained.checkpoints.runs.values() for s in run.states.values() for d in devices_of(s.state)
        } == {CPU}
    assert (len(runs.dynamics), len(runs.history)) == (2 * 4 * len(TRAIN), 2 * 4)


def test_folds_are_drawn_from_the_labels_wherever_these_are() -> None:
    context = AuxiliaryContext(SPEC, ELSEWHERE, ELSEWHERE, SETTINGS, seed=0)
    with MetaDevice():
        trained = Folds().train(context, [0, 1])
    assert trained.checkpoints.runs.keys() == {0, 1}


def test_retrained_states_come_to_the_cpu_and_are_measured_on_the_device() -> None:
    plan = pd.DataFrame(
        {"id": TRAIN.ids, "action": "remove", "fraction": 0.1, "label": TRAIN.labels, "weight": WEIGHTS.double()}
    )
    with MetaDevice():
        states, _ = retrain(SPEC, ELSEWHERE, plan, SETTINGS, SEEDS)
        state = {name.partition("/")[2]: tensor for name, tensor in states.items()}
        numbers = numbers_of(SPEC.build(0, META), on_meta(state), *[ELSEWHERE] * 3)
    assert devices_of(states) == {CPU}
    assert {"val_loss", "test_accuracy", "balanced_accuracy"} <= numbers.columns.keys() | numbers.long.keys()


def test_out_of_fold_probabilities_come_to_the_cpu() -> None:
    model, held_out = SPEC.build(0, META), [torch.arange(len(TRAIN)) % 2 == fold for fold in range(2)]
    models = [(state_of(SPEC.build(0)), rows) for rows in held_out]
    with MetaDevice():
        probabilities = held_out_probabilities(model, models, ELSEWHERE.inputs, TRAIN.labels, N_CLASSES)
    assert (probabilities.device, probabilities.dtype) == (CPU, torch.float64)


def test_a_model_is_built_with_the_same_parameters_for_every_device() -> None:
    built, moved = SPEC.build(3), SPEC.build(3, META)
    assert {name: tensor.shape for name, tensor in built.state_dict().items()} == {
        name: tensor.shape for name, tensor in moved.state_dict().items()
    }
    assert devices_of(moved.state_dict()) == {META}


class Careless(nn.Module):
    """Makes a tensor on the CPU, whatever the device of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, N_CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1) * torch.ones(64, device="cpu"))


def test_a_model_that_makes_a_tensor_elsewhere_is_found() -> None:
    with (
        pytest.raises(OtherDeviceError, match="mul: a tensor \\[64\\] on the CPU meets one on another device"),
        MetaDevice(),
    ):
        train_one(Careless().to(META), ELSEWHERE, SETTINGS, order_seed=0)


def test_the_model_that_is_checked_comes_to_the_device_when_it_was_found_sound() -> None:
    with MetaDevice():
        subject = subject_of(SPEC, TRAIN.inputs[:4], META)
    assert (
        devices_of(subject.state)
        == {META}
        == {subject.examples.device, subject.fresh().get_parameter("1.weight").device}
    )


def test_weights_that_steps_change_are_cast_anew_in_bfloat16() -> None:
    """Autocast would keep the first weights for a whole block, so that a training would go nowhere."""
    settings = replace(SETTINGS, epochs=20)
    exact = train_one(model_of("mlp"), TRAIN, settings, order_seed=0)
    with bfloat16_passes("cpu"):
        rounded = train_one(model_of("mlp"), TRAIN, settings, order_seed=0)
    start = state_of(model_of("mlp"))
    for name, tensor in exact.items():
        assert rounded[name].dtype == torch.float32
        assert np.linalg.norm(rounded[name] - tensor) < 0.1 * np.linalg.norm(tensor - start[name])
