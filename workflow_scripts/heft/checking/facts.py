"""What a model has: how many numbers training moves, and how much memory a state takes."""

from collections.abc import Mapping

import torch

from heft.checking.subject import Subject
from heft.models.parameters import reached_parameters


def facts_of(subject: Subject) -> Mapping[str, int]:
    """Numbers in its parameters: `trained`, `frozen`, `unreached` (of the trained: no gradient comes to them); and the
    bytes of one state."""
    with torch.enable_grad():
        reached = set(reached_parameters(subject.model, subject.model(subject.examples.inputs[:2].clone())))
    sizes = {name: parameter.numel() for name, parameter in subject.model.named_parameters()}
    trained = set(subject.trained)
    return {
        "trained": sum(size for name, size in sizes.items() if name in trained),
        "frozen": sum(size for name, size in sizes.items() if name not in trained),
        "unreached": sum(size for name, size in sizes.items() if name in trained - reached),
        "state_bytes": sum(tensor.numel() * tensor.element_size() for tensor in subject.model.state_dict().values()),
    }
