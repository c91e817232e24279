"""A small multilayer perceptron trained in a plain loop, and data for it: what the training rooms are compared with."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from heft.checking.plain_sgd import plain_sgd
from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.training.settings import TrainingSettings

SHAPE, N_CLASSES = (1, 4, 4), 3
SPEC = ModelSpec("mlp", {"hidden": [6]}, SHAPE, N_CLASSES)
# The last of three batches of an epoch holds 7 of the 23 examples.
SETTINGS = TrainingSettings(epochs=3, batch_size=8, learning_rate=0.2, momentum=0.8, weight_decay=0.02)


def examples(n: int = 23, seed: int = 0, prefix: str = "x") -> Examples:
    """Clouds of three classes; the ids do not sort as the rows do."""
    generator = torch.Generator().manual_seed(seed)
    true_labels = torch.arange(n) % N_CLASSES
    inputs = torch.randn(n, *SHAPE, generator=generator) + true_labels[:, None, None, None]
    labels = true_labels.clone()
    labels[: n // 4] = (labels[: n // 4] + 1) % N_CLASSES
    ids = np.array([f"{prefix}{(370 * k + 3) % 1009:04d}" for k in range(n)])
    return Examples(ids, inputs, labels, true_labels)


def cosine_rates(settings: TrainingSettings, n_steps_per_epoch: int) -> list[float]:
    """The rate of each step: half a cosine from the full rate, without warm-up."""
    total = settings.epochs * n_steps_per_epoch
    return [settings.learning_rate * (1 + math.cos(math.pi * step / total)) / 2 for step in range(total)]


def plain_training(
    start: dict[str, Tensor],
    inputs: Tensor,
    labels: Tensor,
    order_seed: int,
    rates: Sequence[float],
    *,
    weights: Tensor | None = None,
    settings: TrainingSettings = SETTINGS,
) -> dict[str, Tensor]:
    """The final state of the multilayer perceptron of `SPEC`, by SGD with momentum and decay, one step a rate."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.GELU(), nn.Linear(6, N_CLASSES))
    model.load_state_dict(start)
    train = Examples(np.arange(len(inputs)), inputs, labels, labels)
    n_steps = math.ceil(len(inputs) / settings.batch_size)
    settings = replace(settings, epochs=len(rates) // n_steps)
    return plain_sgd(model, train, settings, order_seed, weights=weights, rates=rates)


def plain_logits(parameters: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Of one hidden layer: weights and biases in the order of the state."""
    first, first_bias, second, second_bias = parameters
    return torch.nn.functional.gelu(inputs.flatten(1) @ first.T + first_bias) @ second.T + second_bias


def start_of(init: int) -> dict[str, Tensor]:
    """Initial parameters drawn from that seed."""
    return {name: tensor.clone() for name, tensor in SPEC.build(init).state_dict().items()}


def difference(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """The largest difference of an entry; the names must be the same."""
    assert actual.keys() == expected.keys()
    return max(float((actual[name] - expected[name]).abs().max()) for name in expected)
