"""An example of weight 0 has no say in training, in whatever model."""

import pytest
import torch
from torch import nn
from training_cases import N_CLASSES, SETTINGS, N, batch_norm_model, difference, examples, model_of

from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one, weighted_loss


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
    trained, expected = (
        train_one(batch_norm_model(), given, SETTINGS, order_seed=1, weights=weights) for given in (other, train)
    )
    assert difference(trained, expected) == 0


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
