"""Training written out with torch.optim.SGD, for the tests of Heft's own; it shares no line with the library."""

from collections.abc import Mapping

import battery
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

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


def trained_by_torch(
    model: nn.Module,
    train: Examples,
    order_seed: int,
    labels: Tensor | None = None,
    kept: Tensor | None = None,
    settings: TrainingSettings = SETTINGS,
) -> dict[str, Tensor]:
    """The model's state after `settings.epochs` at a constant rate; kept: which examples are in their batches."""
    labels = train.labels if labels is None else labels
    optimizer = torch.optim.SGD(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    order = torch.Generator().manual_seed(order_seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(order_seed)
        model.train()
        for _ in range(settings.epochs):
            for batch in torch.randperm(len(train), generator=order).split(settings.batch_size):
                chosen = batch if kept is None else batch[kept[batch]]
                optimizer.zero_grad()
                cross_entropy(model(train.inputs[chosen]), labels[chosen]).backward()
                optimizer.step()
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def worst_error(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """The largest difference of a weight to the largest weight of its tensor, over all tensors."""
    assert found.keys() == expected.keys()
    return max(
        float((found[name].double() - tensor.double()).abs().max()) / (float(tensor.double().abs().max()) + 1e-3)
        for name, tensor in expected.items()
        if tensor.numel()
    )
