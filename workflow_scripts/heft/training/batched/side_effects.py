"""What a training pass of a model does beside its logits."""

import itertools
import random
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from heft.models.soundness.closeness import distance, tolerance
from heft.models.soundness.unchanged import copies_of
from heft.persons_code import devices_in_use


def side_effect(model: nn.Module, inputs: Tensor) -> str | None:
    """What a training pass does beside its logits, which models that run as one would share."""
    if shared := _overlapping(model):
        return f"{shared[0]} and {shared[1]} lie in the same memory"
    before = copies_of(model)
    drawn = _generators()
    logits = model(inputs)
    if drawn != _generators():
        return "its forward pass draws random numbers"
    for name, tensor in _tensors(model):
        if name not in before or distance(tensor, before[name]) != 0:
            return f"its forward pass changes {name}"
    if distance(model(inputs[:1]), logits[:1]) > tolerance(logits):
        return "in training mode the logits of an example depend on the other examples of its batch"
    return None


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_buffers()
    yield from model.named_parameters()


def _overlapping(model: nn.Module) -> tuple[str, str] | None:
    """Two different tensors of the model of which one moves with the other."""
    spans = []
    for name, tensor in _tensors(model):
        last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
        if tensor.numel():
            spans.append((tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size(), name))
    for (_, end, name), (start, _, other) in itertools.pairwise(sorted(spans)):
        if start < end:
            return name, other
    return None


def _generators() -> list[object]:
    """The states of the global generators, as values that can be compared."""
    numpy = [part.tobytes() if isinstance(part, np.ndarray) else part for part in np.random.get_state()]
    of_torch = [torch, *devices_in_use()]
    return [*(part.get_rng_state().numpy().tobytes() for part in of_torch), random.getstate(), numpy]
