"""What training records: each epoch's state, rates, streams and dynamics."""

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
from torch import Tensor
from training_cases import N_CLASSES, SETTINGS, SHAPE, N, batch_norm_model, difference, examples, model_of

from heft.models.build import ModelSpec
from heft.seeds import RunSeeds, derive_seed, run_seeds
from heft.training.dynamics import dynamics_of_epoch, loss_and_accuracy, predict
from heft.training.loop import state_of, train_one
from heft.training.runs import train_runs
from heft.training.schedule import learning_rate_at, learning_rate_of


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


@pytest.mark.slow
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
