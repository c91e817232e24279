"""Whether models of an architecture can be trained together: tried on some examples before a long training."""

import math
import random
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.training.loop import weighted_loss
from heft.training.mode import buffers_put_back, in_mode, seeded
from heft.training.sgd import dense
from heft.training.stack import ModelStack, unstack_state

N_TRIED = 32  # so many that what only some examples show, as padding in an embedding, is among them

Gradients = dict[str, Tensor | None]


def reason_to_train_in_turn(
    model: nn.Module, initial: dict[str, Tensor], train: Examples, weights: Tensor, shared: bool
) -> str | None:
    """Why M models cannot be trained together, as a part of a sentence; None where they can.

    Logits and gradients of the first two models, alone and together, are compared on examples that are kept.
    Raises what the model itself raises on these examples. The model, its mode and the global generators stay as they
    are. shared: all models get the same inputs, [batch, ...], else each its own.
    """
    examples = (weights > 0).all(0).to(torch.uint8).sort(descending=True, stable=True).indices[:N_TRIED]
    inputs, labels = train.inputs[examples], train.labels[examples]
    two = {name: tensor[:2] for name, tensor in initial.items()}
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with seeded(0), buffers_put_back(model), in_mode(model, training=True), torch.enable_grad():
        try:
            if reason := _acts_beside_its_logits(model, inputs):
                return reason
            alone = [_alone(model, unstack_state(two, member), inputs, labels) for member in range(2)]
            return _differs_together(model, two, inputs, labels, alone, shared)
        finally:
            model.load_state_dict(own)
            model.zero_grad()


def one_by_one(name: str, reason: str) -> str:
    """What a job's log says of it."""
    return f"Model {name}: several models are trained one by one, not together, since {reason}."


def _acts_beside_its_logits(model: nn.Module, inputs: Tensor) -> str | None:
    """What a training pass does beside its logits, which models that run as one would share."""
    before = {name: tensor.detach().clone() for name, tensor in _tensors(model)}
    drawn = _generators()
    logits = model(inputs)
    if drawn != _generators():
        return "its forward pass draws random numbers"
    for name, tensor in _tensors(model):
        if name not in before or _distance(tensor, before[name]) != 0:
            return f"its forward pass changes {name}"
    if _distance(model(inputs[:1]), logits[:1]) > _tolerance(logits):
        return "in training mode the logits of an example depend on the other examples of its batch"
    return None


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_buffers()
    yield from model.named_parameters()


def _generators() -> list[object]:
    """The states of the global generators, as values that can be compared."""
    numpy = [part.tobytes() if isinstance(part, np.ndarray) else part for part in np.random.get_state()]
    return [torch.get_rng_state().numpy().tobytes(), random.getstate(), numpy]


def _alone(model: nn.Module, state: dict[str, Tensor], inputs: Tensor, labels: Tensor) -> tuple[Tensor, Gradients]:
    """Logits and gradients of one model, as `train_one` computes them."""
    model.load_state_dict(state)
    model.zero_grad()
    logits = model(inputs)
    weighted_loss(logits, labels, torch.ones(len(labels), dtype=inputs.dtype)).backward()
    gradients = {name: dense(p.grad) for name, p in model.named_parameters() if p.requires_grad}
    return logits.detach(), gradients


def _differs_together(
    model: nn.Module,
    two: dict[str, Tensor],
    inputs: Tensor,
    labels: Tensor,
    alone: Sequence[tuple[Tensor, Gradients]],
    shared: bool,
) -> str | None:
    """Why the two models together are not as each is alone."""
    try:
        stack = ModelStack(model, two)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*performance drop")  # one by one is then the faster way
            logits = stack.logits(inputs if shared else inputs.expand(2, *inputs.shape), shared)
            weighted_loss(logits, labels, torch.ones(2, len(labels), dtype=inputs.dtype)).sum().backward()
    except Exception as error:  # any kind: what torch, or the model under it, raises here is the reason that is told
        return f"torch cannot batch it ({' '.join(str(error).split())[:200].rstrip('.')})"
    for member, (expected, gradients) in enumerate(alone):
        if _distance(logits[member].detach(), expected) > _tolerance(expected):
            return "its logits differ where torch batches it"
        largest = max((_size(gradient) for gradient in gradients.values() if gradient is not None), default=0.0)
        for name, gradient in gradients.items():
            found = dense(stack.tensors[name].grad)
            if (found is None) != (gradient is None):
                return f"{name} has a gradient only where torch batches it, or only where it does not"
            if found is None or gradient is None:
                continue
            found = stack.turn(name, found)[member]
            # What is 0 but for rounding, as the gradient of a key's bias, is measured against the largest gradient.
            if _distance(found, gradient) > _tolerance(gradient) + 100 * torch.finfo(gradient.dtype).eps * largest:
                return f"the gradient of {name} differs where torch batches it"
    return None


def _distance(one: Tensor, other: Tensor) -> float:
    """The largest difference of two entries; equal ones that are not finite do not differ."""
    if one.shape != other.shape:
        return math.inf
    one, other = one.detach(), other.detach()
    same = (one == other) | ((one != one) & (other != other))
    return _size(torch.where(same, torch.zeros_like(one), one - other))


def _size(tensor: Tensor) -> float:
    """The largest entry by size; infinite where one is NaN."""
    if not tensor.numel():
        return 0.0
    largest = float(tensor.detach().abs().max())
    return math.inf if math.isnan(largest) else largest


def _tolerance(expected: Tensor) -> float:
    """What another order of the same sums may change."""
    return math.sqrt(torch.finfo(expected.dtype).eps) * _size(expected)
