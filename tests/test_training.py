"""The training loop, batched training, and the records of both."""

import itertools
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.data.examples import Examples
from heft.models.build import ModelSpec, build_model
from heft.seeds import RunSeeds, derive_seed, run_seeds
from heft.training.batched.train_many import stack_states, train_many, train_stacked, unstack_state
from heft.training.dynamics import dynamics_of_epoch, loss_and_accuracy, predict
from heft.training.loop import state_of, train_one, weighted_loss
from heft.training.runs import train_runs
from heft.training.schedule import learning_rate_at, learning_rate_of
from heft.training.settings import TrainingSettings
from heft.training.sgd import StochasticGradientDescent

SHAPE, N_CLASSES = (1, 8, 8), 3
SETTINGS = TrainingSettings(epochs=3, batch_size=8, learning_rate=0.1, momentum=0.9, weight_decay=0.0005)
# The last batch of an epoch holds 4 of the 20 examples.
N = 20


def examples(n: int = N, dtype: torch.dtype = torch.float32) -> Examples:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % N_CLASSES
    inputs = torch.randn(n, *SHAPE, generator=generator, dtype=dtype) + labels[:, None, None, None]
    return Examples(np.array([f"x{i}" for i in range(n)]), inputs, labels, labels)


def model_of(name: str, seed: int = 0, dtype: torch.dtype = torch.float32) -> nn.Module:
    return build_model(name, {}, SHAPE, N_CLASSES, seed).to(dtype)


def batch_norm_model() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.GELU(), nn.Linear(6, N_CLASSES))


def difference(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in a)


def random_weights(n_models: int, dtype: torch.dtype) -> Tensor:
    weights = torch.rand(n_models, N, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return torch.where(weights < 0.4, 0.0, weights)


def test_the_loop_is_sgd_written_out_by_hand() -> None:
    train, model = examples(dtype=torch.float64), model_of("logistic", dtype=torch.float64)
    weights = random_weights(1, torch.float64)[0]
    parameters = [p.detach().clone().requires_grad_() for p in model.parameters()]
    momenta = [torch.zeros_like(p) for p in parameters]
    generator, step = torch.Generator().manual_seed(7), 0
    for _ in range(SETTINGS.epochs):
        order = torch.randperm(N, generator=generator)
        for start in range(0, N, 8):
            kept = [i for i in order[start : start + 8].tolist() if weights[i] > 0]
            logits = train.inputs[kept].flatten(1) @ parameters[0].T + parameters[1]
            losses = cross_entropy(logits, train.labels[kept], reduction="none")
            gradients = torch.autograd.grad((weights[kept] * losses).sum() / weights[kept].sum(), parameters)
            rate = 0.1 * (1 + np.cos(np.pi * step / 9)) / 2
            for parameter, momentum, gradient in zip(parameters, momenta, gradients, strict=True):
                momentum.mul_(0.9).add_(gradient + 0.0005 * parameter.detach())
                parameter.data -= rate * momentum
            step += 1
    final = train_one(model, train, SETTINGS, order_seed=7, weights=weights)
    assert difference(final, dict(zip(final, [p.detach() for p in parameters], strict=True))) < 1e-12


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn"])
@pytest.mark.parametrize("shared_order", [True, False])
def test_batched_and_single_training_give_the_same_models(name: str, shared_order: bool) -> None:
    train = examples(dtype=torch.float64)
    models = [model_of(name, seed, torch.float64) for seed in range(4)]
    orders = [3, 3, 3, 3] if shared_order else [3, 4, 5, 6]
    weights = random_weights(4, torch.float64)
    labels = torch.stack([(train.labels + member) % N_CLASSES for member in range(4)])
    initial = stack_states([state_of(model) for model in models])
    together = train_stacked(models[0], initial, train, SETTINGS, orders, weights, labels, None)
    for member in range(4):
        model = model_of(name, member, torch.float64)
        own = replace(train, labels=labels[member])
        alone = train_one(model, own, SETTINGS, order_seed=orders[member], weights=weights[member])
        assert difference(unstack_state(together, member), alone) < 1e-10
        assert difference(unstack_state(initial, member), alone) > 1e-3


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn"])
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    def final() -> dict[str, Tensor]:
        return train_one(model_of(name), examples(), SETTINGS, order_seed=1)

    def finals() -> dict[str, Tensor]:
        initial = stack_states([state_of(model_of(name, seed)) for seed in (1, 2)])
        return train_many(model_of(name), initial, examples(), SETTINGS, order_seeds=[3, 4])

    for train in (final, finals):
        first, second = train(), train()
        assert all(torch.equal(first[key], second[key]) for key in first)


def test_retraining_with_all_weights_one_reproduces_the_base_model_bit_for_bit() -> None:
    base = train_one(model_of("mlp"), examples(), SETTINGS, order_seed=1)
    initial = stack_states([state_of(model_of("mlp"))])
    again = train_many(model_of("mlp"), initial, examples(), SETTINGS, order_seeds=[1], weights=torch.ones(1, N))
    assert all(torch.equal(again[name][0], base[name]) for name in base)


def test_training_leaves_global_random_state_alone() -> None:
    torch.manual_seed(9)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    dropout = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, N_CLASSES))
    torch.set_rng_state(before)
    train_one(dropout, examples(), SETTINGS, order_seed=1)
    train_many(model_of("mlp"), stack_states([state_of(model_of("mlp"))] * 2), examples(), SETTINGS, order_seeds=[1, 2])
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]


def test_a_removed_example_has_no_say_even_where_its_logits_are_infinite() -> None:
    weights = torch.ones(N)
    weights[4] = 0
    changed = examples()
    changed.inputs[4] = -5
    changed.labels[4] = (changed.labels[4] + 1) % N_CLASSES
    plain = train_one(model_of("mlp"), examples(), SETTINGS, order_seed=1, weights=weights)
    assert difference(train_one(model_of("mlp"), changed, SETTINGS, order_seed=1, weights=weights), plain) == 0
    logits = torch.tensor([[1.0, 2.0], [torch.inf, -torch.inf]], requires_grad=True)
    loss = weighted_loss(logits, torch.tensor([0, 1]), torch.tensor([1.0, 0.0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet18"])
def test_a_batch_with_no_weight_left_only_decays(name: str) -> None:
    settings = replace(SETTINGS, momentum=0.0, schedule="constant", epochs=1)
    before = state_of(model_of(name))
    after = train_one(model_of(name), examples(), settings, order_seed=1, weights=torch.zeros(N))
    expected = {key: tensor * (1 - 0.1 * 0.0005) ** 3 for key, tensor in before.items()}
    assert difference(after, expected) < 1e-6


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_an_example_of_weight_zero_is_not_computed(name: str) -> None:
    computed: list[int] = []
    model = model_of(name)
    model.register_forward_pre_hook(lambda _, inputs: computed.append(len(inputs[0])))
    weights = torch.ones(N)
    weights[:5] = 0
    train_one(model, examples(), SETTINGS, order_seed=1, weights=weights)
    assert sum(computed) == SETTINGS.epochs * (N - 5)


def test_models_with_batch_norm_are_trained_one_by_one() -> None:
    initial = stack_states([state_of(batch_norm_model())] * 2)
    weights = torch.ones(2, N)
    weights[1, :5] = 0
    seen: list[tuple[int, int]] = []
    together = train_many(
        batch_norm_model(),
        initial,
        examples(),
        SETTINGS,
        order_seeds=[1, 1],
        weights=weights,
        after_epoch=lambda epoch, states, step, rate: seen.append((epoch, len(states["1.weight"]))),
    )
    for member in range(2):
        alone = train_one(batch_norm_model(), examples(), SETTINGS, order_seed=1, weights=weights[member])
        assert difference(unstack_state(together, member), alone) == 0
    assert seen == [(0, 2), (1, 2), (2, 2), (3, 2)]


def test_a_removed_example_is_in_no_statistics_of_batch_norm() -> None:
    weights = torch.ones(N)
    weights[:7] = 0
    train, other = examples(), examples()
    other.inputs[:7] = 1e3
    found, expected = (
        train_one(batch_norm_model(), one, SETTINGS, order_seed=1, weights=weights) for one in (other, train)
    )
    assert difference(found, expected) == 0


def test_a_batch_that_is_too_small_for_batch_norm_is_passed_over() -> None:
    weights = torch.zeros(N)
    weights[0] = 1  # each batch has at most one example left
    trained = train_one(batch_norm_model(), examples(), SETTINGS, order_seed=1, weights=weights)
    assert difference(trained, state_of(batch_norm_model())) == 0


def test_frozen_parameters_stay_where_they_are_in_both_kinds_of_training() -> None:
    def frozen() -> nn.Module:
        model = model_of("mlp")
        next(model.parameters()).requires_grad_(False)
        return model

    initial = state_of(frozen())
    alone = train_one(frozen(), examples(), SETTINGS, order_seed=1)
    together = train_many(frozen(), stack_states([initial] * 2), examples(), SETTINGS, order_seeds=[1, 1])
    assert torch.equal(alone["1.weight"], initial["1.weight"])
    assert difference(unstack_state(together, 1), alone) < 1e-5


def test_after_epoch_sees_the_initial_and_each_epochs_state() -> None:
    seen: list[tuple[int, dict[str, Tensor], int, float]] = []
    model = model_of("mlp")
    initial = state_of(model)
    final = train_one(model, examples(), SETTINGS, order_seed=1, after_epoch=lambda *call: seen.append(call))
    assert [(epoch, step) for epoch, _, step, _ in seen] == [(0, 0), (1, 3), (2, 6), (3, 9)]
    assert difference(seen[0][1], initial) == 0
    assert difference(seen[-1][1], final) == 0
    assert [rate for *_, rate in seen] == [learning_rate_of(epoch, SETTINGS, N) for epoch in range(4)]


def test_the_cosine_falls_from_the_full_rate_towards_zero_after_a_linear_warm_up() -> None:
    settings = replace(SETTINGS, epochs=4, warmup_epochs=1)
    rates = [learning_rate_at(step, settings, N) for step in range(12)]
    np.testing.assert_allclose(rates[:4], [0.1 / 3, 0.2 / 3, 0.1, 0.1])
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[3:]))
    assert 0 < rates[-1] < 0.01
    assert learning_rate_at(5, replace(SETTINGS, schedule="constant"), N) == 0.1


def test_streams_of_different_names_differ_and_a_frozen_stream_is_that_of_seed_0() -> None:
    seeds = {derive_seed(seed, name, k) for seed in range(5) for name in ("split", "noise") for k in range(5)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "split") == derive_seed(0, "split", resample=["split"])
    assert derive_seed(3, "noise", resample=["split"]) == derive_seed(0, "noise")
    assert derive_seed(1, "1", 2) != derive_seed(1, 1, 2)
    drawn = {number for run in range(20) for number in vars(run_seeds(0, run, ["init"])).values()}
    assert len(drawn) == 40
    assert run_seeds(4, 2, []) == run_seeds(0, 2, [])


def test_dynamics_are_the_logits_of_the_label_and_of_its_strongest_rival() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]])
    table = dynamics_of_epoch(0, np.array(["a", "b"]), 4, logits, torch.tensor([1, 2]))
    assert table.to_dict("records") == [
        {"run": 0, "id": "a", "epoch": 4, "label_logit": 3.0, "largest_other_logit": 2.0, "correct": True},
        {"run": 0, "id": "b", "epoch": 4, "label_logit": 2.0, "largest_other_logit": 3.0, "correct": False},
    ]


def test_predicting_uses_evaluation_mode_and_leaves_the_model_as_it_was() -> None:
    model = batch_norm_model().train()
    before = state_of(model)
    logits = predict(model, before, examples().inputs)
    assert model.training
    assert difference(state_of(model), before) == 0
    torch.testing.assert_close(logits, model.eval()(examples().inputs))


@pytest.mark.parametrize("seeds", [{0: RunSeeds(1, 2)}, {5: RunSeeds(1, 2), 6: RunSeeds(3, 4), 7: RunSeeds(5, 6)}])
def test_train_runs_records_every_epoch_of_every_run(seeds: dict[int, RunSeeds]) -> None:
    rows: list[dict[str, float]] = []
    started = time.process_time()
    trained = train_runs(
        ModelSpec("mlp", {}, SHAPE, N_CLASSES),
        examples(),
        examples(12),
        SETTINGS,
        seeds,
        after_epoch=rows.append,
    )
    assert 0 <= trained.checkpoints.cpu_seconds <= time.process_time() - started
    history, dynamics = trained.history, trained.dynamics
    assert history["run"].tolist() == [number for number in seeds for _ in range(4)]
    assert history["epoch"].tolist() == [0, 1, 2, 3] * len(seeds)
    assert len(rows) == len(history)
    for number, run in trained.checkpoints.runs.items():
        assert list(run.states) == [0, 1, 2, 3]
        model = model_of("mlp", seeds[number].init)
        assert difference(run.states[0].state, state_of(model)) == 0
        final = train_one(model, examples(), SETTINGS, order_seed=seeds[number].order)
        assert difference(run.states[3].state, final) < 1e-5
        told = history[(history["run"] == number) & (history["epoch"] == 3)].iloc[0]
        loss, accuracy = loss_and_accuracy(
            predict(model, run.states[3].state, examples(12).inputs), examples(12).labels
        )
        assert (told["validation_loss"], told["validation_accuracy"]) == (loss, accuracy)
    assert isinstance(dynamics, pd.DataFrame)
    assert len(dynamics) == 4 * N * len(seeds)
    first = history[history["run"] == next(iter(seeds))]
    recorded = dynamics[dynamics["run"] == next(iter(seeds))].groupby("epoch")["correct"].mean()
    assert first["train_accuracy"].tolist() == pytest.approx(recorded.tolist())
    assert trained.checkpoints.cpu_seconds > 0


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_optimiser_is_torchs_sgd(momentum: float) -> None:
    settings = replace(SETTINGS, momentum=momentum, weight_decay=0.1)
    start = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, torchs = start.clone().requires_grad_(), start.clone().requires_grad_()
    optimizer = StochasticGradientDescent([ours], settings)
    reference = torch.optim.SGD([torchs], momentum=momentum, weight_decay=0.1)
    for rate in (0.1, 0.05, 0.2):
        optimizer.step((ours**3).sum(), rate)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        (torchs**3).sum().backward()
        reference.step()
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=1e-12)


def test_training_does_not_import_torchs_compiler() -> None:
    program = (
        "import sys, torch; from test_training import *;"
        "states = stack_states([state_of(model_of('mlp'))] * 2);"
        "train_many(model_of('mlp'), states, examples(), SETTINGS, order_seeds=[1, 2]);"
        "print('torch._dynamo' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parent, *sys.path)))},
        check=True,
    )
    assert answer.stdout.strip() == "False"
