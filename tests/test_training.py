"""The training loop, batched training, and the records of both."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training_cases import N_CLASSES, SETTINGS, N, difference, examples, model_of

from heft.training.batched.train_many import stack_states, train_many, train_stacked, unstack_state
from heft.training.loop import state_of, train_one
from heft.training.optimisers.sgd import Sgd


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


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_optimiser_is_torchs_sgd(momentum: float) -> None:
    settings = replace(SETTINGS, momentum=momentum, weight_decay=0.1)
    start = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, torchs = start.clone().requires_grad_(), start.clone().requires_grad_()
    optimizer = Sgd([ours], settings)
    reference = torch.optim.SGD([torchs], momentum=momentum, weight_decay=0.1)
    for rate in (0.1, 0.05, 0.2):
        optimizer.step((ours**3).sum(), rate)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        (torchs**3).sum().backward()
        reference.step()
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=1e-12)
