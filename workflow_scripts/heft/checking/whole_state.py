"""Whether a model's state dictionary is the whole model, as a checkpoint takes it to be."""

import torch
from torch import Tensor, nn

from heft.checking.finding import Finding
from heft.checking.subject import SEED, Subject
from heft.kernels.functional import logits_of
from heft.models.soundness.closeness import is_close, rounding_of
from heft.training.loop import state_of

WHOLE = "its state dictionary holds all that a seed or training decides"


def state_is_whole(subject: Subject) -> Finding:
    """Compares a model of another seed, and one that was trained, with a fresh model that takes over its state."""
    case = subject.in_double
    for model_of, why in (
        (lambda: case.fresh(SEED + 1), "depends on the seed"),
        (lambda: subject.plainly_trained, "changes in training"),
    ):
        reason = _lost(model_of(), case.fresh(SEED), case.examples.inputs)
        if reason:
            return Finding(WHOLE, f"{reason} {why}, but is not in it; register it as a persistent buffer")
    return Finding(WHOLE)


def _lost(model: nn.Module, other: nn.Module, inputs: Tensor) -> str:
    """What `other` lacks after it has the state of `model`; nothing if it then gives the same logits."""
    state = state_of(model)
    expected, of_other = logits_of(model, state, inputs), logits_of(other, state, inputs)
    if not expected.isfinite().all() or is_close(of_other, expected, rounding_of([expected, *model.parameters()])):
        return ""
    buffers, others = dict(model.named_buffers()), dict(other.named_buffers())
    outside = [name for name in buffers if name not in model.state_dict()]
    name = next((name for name in outside if not torch.equal(buffers[name], others[name])), None)
    return f"buffer {name}" if name else "something that is neither a parameter nor a buffer"
