"""Training by `adamw` over the battery: the weights after 20 steps, alone and batched, are those of torch.optim."""

from dataclasses import replace

import battery
import pytest
import torch
from adamw_reference import plain_adamw
from sgd_reference import SETTINGS, built, examples, worst_error
from torch import Tensor

from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one

ADAMW = replace(SETTINGS, optimiser="adamw", learning_rate=0.01, weight_decay=0.05, label_smoothing=0.1)
ORDERS = (7, 8)
# An entry whose gradient is rounding alone is moved by the full rate; eps keeps it where it is.
OPTIONS = {"eps": 1e-4, "betas": [0.8, 0.95]}


def allowed(state: dict[str, Tensor]) -> float:
    """What bfloat16 rounds is 1 / 128 of a number."""
    return 4 * 2**-7 if any(tensor.dtype == torch.bfloat16 for tensor in state.values()) else 1e-7


@pytest.mark.parametrize("name", battery.WORKING)
def test_each_model_alone_and_two_of_own_weights_orders_and_labels_are_trained_as_by_torch(name: str) -> None:
    dtype = torch.float64
    train = examples(dtype=torch.float32 if battery.MODELS[name].own_type else dtype)
    labels = torch.stack([train.labels, (train.labels + 1) % battery.N_CLASSES])
    weights = torch.ones(2, len(train), dtype=train.inputs.dtype)
    weights[0, ::5], weights[1, 1::3] = 0, 0.5
    settings = replace(ADAMW, optimiser={"adamw": OPTIONS})
    expected = [
        plain_adamw(
            built(name, seed, dtype), train, settings, order, labels=labels[seed], weights=weights[seed], **OPTIONS
        )
        for seed, order in enumerate(ORDERS)
    ]
    own = replace(train, labels=labels[0])
    alone = train_one(built(name, 0, dtype), own, settings, order_seed=ORDERS[0], weights=weights[0])
    assert worst_error(alone, expected[0]) < allowed(expected[0])
    initial = stack_states([state_of(built(name, seed, dtype)) for seed in range(2)])
    together = train_many(
        built(name, 5, dtype), initial, train, settings, order_seeds=ORDERS, weights=weights, labels=labels
    )
    for member, right in enumerate(expected):
        assert worst_error(unstack_state(together, member), right) < allowed(right)
