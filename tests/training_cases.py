"""Small examples and models for the tests of training."""

import numpy as np
import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.models.build import build_model
from heft.training.settings import TrainingSettings

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
