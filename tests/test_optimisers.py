"""Optimisers, schedules and label smoothing against torch's own."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from adamw_reference import plain_adamw
from sgd_reference import worst_error
from torch import Tensor
from torch.nn.functional import cross_entropy
from training_cases import SETTINGS, N, examples, model_of

from heft.training.loop import train_one, weighted_loss
from heft.training.optimisers.adamw import Adamw
from heft.training.optimisers.declare import Optimiser
from heft.training.schedule import learning_rate_at
from heft.training.settings import TrainingSettings


@pytest.mark.parametrize("options", [{}, {"betas": [0.5, 0.9]}, {"eps": 0.1}])
def test_adamw_in_float32_is_torchs(options: dict[str, Any]) -> None:
    settings = replace(
        SETTINGS, optimiser={"adamw": options}, learning_rate=0.01, weight_decay=0.3, schedule="constant"
    )
    expected = plain_adamw(model_of("mlp"), examples(), settings, 3, **options)
    trained = train_one(model_of("mlp"), examples(), settings, order_seed=3)
    assert worst_error(trained, expected) < 1e-5
    other = train_one(model_of("mlp"), examples(), replace(settings, optimiser="adamw"), order_seed=3)
    assert (worst_error(other, expected) < 1e-5) == (not options)


def with_gaps() -> Tensor:
    """Every second column of a larger tensor, which no kernel walks."""
    return torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[:, ::2]


def complex_numbers() -> Tensor:
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.complex128)


@pytest.mark.parametrize("made", [with_gaps, complex_numbers])
def test_parameters_that_no_kernel_takes_are_moved_as_by_torch(made: Any) -> None:
    ours, torchs = made().requires_grad_(), made().requires_grad_()
    optimiser = Adamw([ours], TrainingSettings(weight_decay=0.1), betas=(0.8, 0.9))
    reference = torch.optim.AdamW([torchs], weight_decay=0.1, betas=(0.8, 0.9))
    for rate in (0.1, 0.05, 0.2):
        optimiser.step((ours.abs() ** 3).sum(), rate)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        (torchs.abs() ** 3).sum().backward()
        reference.step()
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(ours, made())


def test_a_parameter_that_the_loss_does_not_reach_keeps_its_value_and_its_steps() -> None:
    reached, other = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    optimiser = Adamw([reached, other], TrainingSettings())
    optimiser.step(reached.sum(), 0.1)
    assert torch.equal(other, torch.ones(2))
    assert [float(step) for step in optimiser.steps] == [1, 0]


def test_an_optimiser_of_ones_own_need_not_know_kernels() -> None:
    class Signs(Optimiser):
        def move(self, index: int, gradient: Tensor, learning_rate: float) -> None:
            self.parameters[index].sub_(learning_rate * gradient.sign())

    parameter = torch.tensor([1.0, -2.0], requires_grad=True)
    Signs([parameter], TrainingSettings()).step((parameter**2).sum(), 0.25)
    assert parameter.tolist() == [0.75, -1.75]


def test_smoothed_losses_are_torchs_and_their_mean_is_over_the_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(2, 6, 4, generator=generator), torch.arange(6) % 4
    weights = torch.tensor([[1.0, 0, 1, 2, 0.5, 1], [0, 0, 0, 1, 1, 1]])
    means = weighted_loss(logits, labels, weights, 0.3)
    for member in range(2):
        losses = torch.stack(
            [cross_entropy(logits[member, i : i + 1], labels[i : i + 1], label_smoothing=0.3) for i in range(6)]
        )
        torch.testing.assert_close(means[member], (weights[member] * losses).sum() / weights[member].sum())
    assert not torch.allclose(means, weighted_loss(logits, labels, weights))


def rates_of_torch(settings: TrainingSettings, scheduler: type, **options: Any) -> list[float]:
    """The rate of each epoch by torch's scheduler."""
    parameter = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([parameter], lr=settings.learning_rate)
    schedule, rates = scheduler(optimiser, **options), []
    for _ in range(settings.epochs):
        rates.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        schedule.step()
    return rates


def test_the_rate_steps_down_after_the_epochs_at_which_torchs_scheduler_does() -> None:
    settings = replace(SETTINGS, epochs=6, schedule={"step": {"epochs": [2, 5], "factor": 0.3}})
    expected = rates_of_torch(settings, torch.optim.lr_scheduler.MultiStepLR, milestones=[2, 5], gamma=0.3)
    rates = [learning_rate_at(step, settings, N) for step in range(18)]  # three steps an epoch
    assert rates == pytest.approx([rate for rate in expected for _ in range(3)])
    warm = [learning_rate_at(step, replace(settings, warmup_epochs=1), N) for step in range(18)]
    assert warm[3:] == rates[3:]
    assert warm[:3] == pytest.approx([rates[0] / 3, 2 * rates[0] / 3, rates[0]])


def test_the_cosine_is_that_of_torch_at_each_step() -> None:
    settings = replace(SETTINGS, epochs=18, batch_size=N)
    expected = rates_of_torch(settings, torch.optim.lr_scheduler.CosineAnnealingLR, T_max=18)
    assert [learning_rate_at(step, settings, N) for step in range(18)] == pytest.approx(expected)
