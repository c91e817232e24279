"""Logits that an objective is a function of."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from heft.kernels.calling import call
from heft.kernels.functional import SMALLEST_BATCH, State, batch_size_for
from heft.kernels.once import once_a_model


def differentiable_logits(model: nn.Module, state: State, inputs: Tensor) -> Tensor:
    """Logits [n, n_classes] under `state`, with a graph to those of its tensors, and inputs, that require a gradient.

    The objective sees all of them at once. Inputs that do not fit one batch are computed batch by batch, and once more
    in the backward pass, so that activations of one batch alone are held at a time.
    """
    if len(inputs) <= SMALLEST_BATCH:
        return call(model, state, inputs)
    question = f"examples at once, of shape {tuple(inputs.shape[1:])} and {inputs.dtype}"
    size = once_a_model(model, question, lambda: batch_size_for(model, state, inputs))
    if len(inputs) <= size:
        return call(model, state, inputs)
    return torch.cat(
        [
            checkpoint(call, model, state, part, use_reentrant=False, preserve_rng_state=False)
            for part in inputs.split(size)
        ]
    )
