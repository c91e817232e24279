"""Whether models of an architecture can be trained together: tried on some examples before a long training."""

import math
import re
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.models.soundness.closeness import distance, rounding, size, tolerance
from heft.training.batched.side_effects import side_effect
from heft.training.batched.stack import ModelStack, unstack_state
from heft.training.loop import weighted_loss
from heft.training.mode import buffers_put_back, in_mode, seeded
from heft.training.optimisers.declare import dense

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
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            return f"torch, where it batches {name}, trains the padding, too"
    examples = (weights > 0).all(0).to(torch.uint8).sort(descending=True, stable=True).indices[:N_TRIED]
    inputs, labels = train.inputs[examples.to(train.device)], train.labels[examples.to(train.device)]
    two = {name: tensor[:2] for name, tensor in initial.items()}
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with seeded(0), buffers_put_back(model), in_mode(model, training=True), torch.enable_grad():
        try:
            if reason := side_effect(model, inputs):
                return reason
            alone = [_alone(model, unstack_state(two, member), inputs, labels) for member in range(2)]
            return _differs_together(model, two, inputs, labels, alone, shared)
        finally:
            model.load_state_dict(own)
            model.zero_grad()


def note_on_training_in_turn(name: str, reason: str) -> str:
    """The sentence of a job's log on models that are trained one by one."""
    return f"Model {name}: several models are trained one by one, not together, since {reason}."


def _alone(model: nn.Module, state: dict[str, Tensor], inputs: Tensor, labels: Tensor) -> tuple[Tensor, Gradients]:
    """Logits and gradients of one model, as `train_one` computes them."""
    model.load_state_dict(state)
    model.zero_grad()
    logits = model(inputs)
    weighted_loss(logits, labels, torch.ones(len(labels), dtype=inputs.dtype, device=inputs.device)).backward()
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
            weights = torch.ones(2, len(labels), dtype=inputs.dtype, device=inputs.device)
            weighted_loss(logits, labels, weights).sum().backward()
    except Exception as error:  # any kind: what torch, or the model under it, raises here is the reason that is told
        return _told(error)
    for member, (expected, gradients) in enumerate(alone):
        if distance(logits[member], expected) > tolerance(expected):
            return "its logits differ where torch batches it"
        known = [gradient for gradient in gradients.values() if gradient is not None]
        largest = max(map(size, known), default=0.0)
        coarsest = max(rounding(tensor) for tensor in (expected, *known))
        for name, gradient in gradients.items():
            together = dense(stack.tensors[name].grad)
            if together is None or gradient is None:
                if together is not gradient:
                    return f"{name} has a gradient only where torch batches it, or only where it does not"
                continue
            # What is 0 but for rounding, as the gradient of a key's bias, is measured against the largest gradient.
            allowed = math.sqrt(coarsest) * size(gradient) + 100 * coarsest * largest
            if distance(stack.turn(name, together)[member], gradient) > allowed:
                return f"the gradient of {name} differs where torch batches it"
    return None


def _told(error: Exception) -> str:
    """What torch says of an operation that it cannot batch, without its advice to developers."""
    text = " ".join(str(error).split())
    if rule := re.search(r"[Bb]atching rule .*?(aten::\w+)", text):
        return f"torch has no rule to batch {rule[1]}"
    return f"torch cannot batch it ({text.partition('. ')[0][:200].rstrip('.')})"
