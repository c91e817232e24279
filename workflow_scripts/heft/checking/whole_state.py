"""Whether a model is what its state dictionary says: a checkpoint has nothing else of a training."""

import torch
from torch import Tensor, nn

from heft.checking.finding import Finding
from heft.checking.plain_sgd import plain_sgd
from heft.checking.precision import double_case
from heft.checking.subject import SEED, Subject
from heft.checking.training import settings_of
from heft.kernels.functional import logits_of
from heft.models.closeness import is_close, rounding_of
from heft.training.loop import state_of

WHOLE = "its state dictionary holds all that a seed or training decides"


def state_is_whole(subject: Subject) -> Finding:
    """Compares a model of another seed, and one that was trained, with a fresh model that takes over its state."""
    case, settings = double_case(subject), settings_of(subject)
    trained = case.fresh(SEED)
    plain_sgd(trained, case.examples, settings, SEED)
    for model, why in ((case.fresh(SEED + 1), "depends on the seed"), (trained, "changes in training")):
        reason = _lost(model, case.fresh(SEED), case.examples.inputs)
        if reason:
            return Finding(WHOLE, f"{reason} {why}, but is not in it; a buffer has to be persistent")
    return Finding(WHOLE)


def _lost(model: nn.Module, other: nn.Module, inputs: Tensor) -> str:
    """What `other` lacks after it has the state of `model`; nothing if it then gives the same logits."""
    expected = logits_of(model, _everything(model), inputs)
    found = logits_of(other, state_of(model), inputs)
    if not expected.isfinite().all() or is_close(found, expected, rounding_of([expected, *model.parameters()])):
        return ""
    buffers, of_other = dict(model.named_buffers()), dict(other.named_buffers())
    outside = [name for name in buffers if name not in model.state_dict()]
    name = next((name for name in outside if not torch.equal(buffers[name], of_other[name])), None)
    return f"buffer {name}" if name else "something that is neither a parameter nor a buffer"


def _everything(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in (*model.named_parameters(), *model.named_buffers())}
