"""A removed example has no say in models that are trained together, and an emptied batch decays alone."""

import pytest
import torch
from sgd_reference import SETTINGS, built, examples, worst_error
from torch import Tensor

from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e38])
@pytest.mark.parametrize("orders", [(3, 3, 3), (3, 4, 5)], ids=["one order", "own orders"])
def test_a_removed_example_has_no_say_in_models_that_are_trained_together(bad: float, orders: tuple[int, ...]) -> None:
    weights = torch.ones(3, 16)
    weights[:, 6] = 0  # removed for all
    weights[:2, 5] = 0  # kept for the last alone
    initial = stack_states([state_of(built("linear", seed, torch.float32)) for seed in range(3)])

    def trained(value: float) -> dict[str, Tensor]:
        train = examples(dtype=torch.float32)
        train.inputs[5:7] = value
        model = built("linear", 0, torch.float32)
        return train_many(model, initial, train, SETTINGS, order_seeds=orders, weights=weights)

    replaced, expected = trained(bad), trained(0.5)
    for member in (0, 1):
        assert worst_error(unstack_state(replaced, member), unstack_state(expected, member)) < 1e-6


@pytest.mark.parametrize("name", ["instance_norm_2d", "dropout", "linear", "lstm"])
def test_a_batch_that_nothing_is_left_of_decays_what_the_loss_reaches_alone_and_batched(name: str) -> None:
    weights = torch.zeros(2, 16)
    weights[0, 3] = 1  # all batches of the second, and half of the first's, are empty
    train, model = examples(dtype=torch.float64), built(name, 0, torch.float64)
    before = state_of(model)
    trained = train_many(
        model, stack_states([before] * 2), train, SETTINGS, order_seeds=[1, 1], weights=weights.double()
    )
    decayed = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.005)
    model.load_state_dict(before)
    for _ in range(20):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        decayed.step()
    assert worst_error(unstack_state(trained, 1), state_of(model)) < 1e-10
    alone = train_one(built(name, 0, torch.float64), train, SETTINGS, order_seed=1, weights=weights[1].double())
    assert worst_error(alone, state_of(model)) < 1e-10
    assert all(torch.isfinite(tensor[0]).all() for tensor in trained.values())
