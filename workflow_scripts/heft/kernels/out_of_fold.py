"""Probabilities of each training example by the model that did not train on it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.functional import State, logits_of


def out_of_fold_probabilities(
    model: nn.Module, folds: Sequence[tuple[State, Tensor]], inputs: Tensor, labels: Tensor, n_classes: int
) -> Tensor:
    """Probabilities float64 [n, n_classes]; `folds` are states, each with the examples [n] bool that it held out.

    Raises HeftError where the folds do not hold out each example once, or a class has a single example, which no model
    that holds it out can know.
    """
    counts = torch.bincount(labels, minlength=n_classes)
    if len(alone := (counts == 1).nonzero()):
        raise HeftError(f"class {int(alone[0])} has one training example; out-of-fold probabilities need two.")
    times = torch.stack([held_out for _, held_out in folds]).sum(dim=0)
    if len(other := (times != 1).nonzero()):
        row = int(other[0])
        raise HeftError(f"training example {row} is held out by {int(times[row])} of the models; expected one of them.")
    probabilities = torch.zeros(len(labels), n_classes, dtype=torch.float64)
    for state, held_out in folds:
        probabilities[held_out] = logits_of(model, state, inputs[held_out]).double().softmax(dim=1)
    return probabilities
