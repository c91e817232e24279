"""Models and examples of the battery for comparisons with `plain_sgd`, and how far two states are apart."""

from collections.abc import Mapping

import battery
import numpy as np
import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.training.settings import TrainingSettings

# 20 steps on 16 examples.
SETTINGS = TrainingSettings(epochs=10, batch_size=8, learning_rate=0.05, weight_decay=0.005, schedule="constant")


def examples(n: int = 16, dtype: torch.dtype = torch.float64) -> Examples:
    """The battery's examples."""
    inputs, labels = battery.examples(n, dtype=dtype)
    return Examples(np.array([f"x{i}" for i in range(n)]), inputs, labels, labels)


def built(name: str, seed: int, dtype: torch.dtype) -> nn.Module:
    """A model of the battery whose lazy layers know their shapes; in its own types where it fixes them."""
    model = battery.build(name, seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model(examples(2, torch.float32).inputs)
    return model if battery.MODELS[name].own_type else model.to(dtype)


def worst_error(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """The largest difference of a weight to the largest weight of its tensor, over all tensors."""
    assert actual.keys() == expected.keys()
    return max(
        float((actual[name].double() - tensor.double()).abs().max()) / (float(tensor.double().abs().max()) + 1e-3)
        for name, tensor in expected.items()
        if tensor.numel()
    )
