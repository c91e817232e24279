"""What a training or an evaluation changes around it, and puts back: modes, buffers, random generators."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from heft.persons_code import generators_kept, seed_generators


@contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """The model in training or evaluation mode; afterwards each of its modules is in the mode that it was in."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global generators of torch, numpy and Python start from `seed`; afterwards they are as they were."""
    with generators_kept():
        seed_generators(seed)
        yield


@contextmanager
def buffers_put_back(model: nn.Module) -> Iterator[None]:
    """Afterwards the model has its buffers of before, those that are in no state dictionary among them."""
    before = [
        (module, name, buffer, None if buffer is None else buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    try:
        yield
    finally:
        for module, name, buffer, values in before:
            module._buffers[name] = buffer
            if buffer is not None and values is not None:
                buffer.copy_(values)
