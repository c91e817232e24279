"""Training over the battery: the weights after 20 steps, alone and batched, are those of torch.optim.SGD."""

import battery
import pytest
import torch
from sgd_reference import SETTINGS, built, examples, worst_error
from torch import Tensor

from heft.checking.plain_sgd import plain_sgd
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one

# Of the coarsest type in the model; what bfloat16 rounds is 1 / 128 of a number.
ALLOWED = {torch.float64: 1e-10, torch.float32: 1e-4, torch.bfloat16: 4 * 2**-7}
ORDERS = (7, 8)


def allowed(state: dict[str, Tensor], dtype: torch.dtype) -> float:
    coarsest = torch.bfloat16 if any(tensor.dtype == torch.bfloat16 for tensor in state.values()) else dtype
    return ALLOWED[coarsest]


def together(name: str, seeds: tuple[int, int], dtype: torch.dtype, **options: object) -> list[dict[str, Tensor]]:
    """The states of two models that `train_many` trained."""
    initial = stack_states([state_of(built(name, seed, dtype)) for seed in seeds])
    trained = train_many(built(name, 5, dtype), initial, examples(dtype=input_type(name, dtype)), SETTINGS, **options)  # type: ignore[arg-type]
    return [unstack_state(trained, member) for member in range(2)]


def input_type(name: str, dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if battery.MODELS[name].own_type else dtype


@pytest.mark.parametrize("name", battery.WORKING)
def test_each_model_alone_and_two_of_own_weights_and_orders_are_trained_as_by_torch(name: str) -> None:
    dtype = torch.float64
    train = examples(dtype=input_type(name, dtype))
    expected = [plain_sgd(built(name, seed, dtype), train, SETTINGS, order) for seed, order in enumerate(ORDERS)]
    limit = allowed(expected[0], dtype)
    assert worst_error(train_one(built(name, 0, dtype), train, SETTINGS, order_seed=ORDERS[0]), expected[0]) < limit
    for state, right in zip(together(name, (0, 1), dtype, order_seeds=ORDERS), expected, strict=True):
        assert worst_error(state, right) < limit


@pytest.mark.parametrize("name", battery.WORKING)
def test_two_retrained_models_of_one_order_with_removed_examples_and_other_labels_are_trained_as_by_torch(
    name: str,
) -> None:
    dtype = torch.float32
    train = examples(dtype=input_type(name, dtype))
    kept = torch.ones(2, len(train), dtype=torch.bool)
    kept[0, ::5], kept[1, 1::3] = False, False
    labels = torch.stack([train.labels, (train.labels + 1) % battery.N_CLASSES])
    states = together(name, (0, 0), dtype, order_seeds=(3, 3), weights=kept.to(train.inputs.dtype), labels=labels)
    for member in range(2):
        weights = kept[member].to(train.inputs.dtype)
        right = plain_sgd(built(name, 0, dtype), train, SETTINGS, 3, labels=labels[member], weights=weights)
        assert worst_error(states[member], right) < allowed(right, dtype)
