"""Probabilities of each training example by the models that did not train on it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heft.devices import CPU, moved_to
from heft.errors import HeftError
from heft.kernels.functional import State, logits_of


def held_out_probabilities(
    model: nn.Module,
    models: Sequence[tuple[State, Tensor]],
    inputs: Tensor,
    labels: Tensor,
    n_classes: int,
    units: Tensor | None = None,
) -> Tensor:
    """Probabilities float64 [n, n_classes] on the CPU, the mean over the models that held the example out.

    models: states, each with the examples that it held out, bool [n] on the CPU. units: of which a model held out all
    examples or none, int64 [n]; None where each example is one of its own. The only unit of a class keeps its label
    (see `only_units_kept`). Raises HeftError where no model held an example out.
    """
    times = _times_held_out(models)
    if len(never := (times == 0).nonzero()):
        raise HeftError(f"training example {int(never[0])} is held out by none of the {len(models)} models.")
    total = torch.zeros(len(labels), n_classes, dtype=torch.float64, device=CPU)
    for state, held_out in models:
        if held_out.any():
            logits = logits_of(model, moved_to(inputs.device, state), inputs[held_out])
            total[held_out] += logits.cpu().double().softmax(dim=1)
    return only_units_kept(total / times[:, None], labels.to(CPU), units)


def only_units_kept(probabilities: Tensor, labels: Tensor, units: Tensor | None = None) -> Tensor:
    """Probabilities [n, n_classes], but 1 for the label of an example that is the only one of its class.

    units: int64 [n]; then the same of all examples of a class that are one unit. What is asked without them cannot know
    the class, so that nothing speaks against the label.
    """
    of_units = labels if units is None else torch.stack([labels, units.to(CPU)]).unique(dim=1)[0]
    alone = torch.bincount(of_units, minlength=probabilities.shape[1])[labels] == 1
    return torch.where(alone[:, None], torch.nn.functional.one_hot(labels, probabilities.shape[1]), probabilities)


def out_of_fold_probabilities(
    model: nn.Module,
    folds: Sequence[tuple[State, Tensor]],
    inputs: Tensor,
    labels: Tensor,
    n_classes: int,
    units: Tensor | None = None,
) -> Tensor:
    """The same of models that together hold out each example once; raises HeftError where they do not."""
    times = _times_held_out(folds)
    if len(other := (times != 1).nonzero()):
        row = int(other[0])
        raise HeftError(f"training example {row} is held out by {int(times[row])} of the models; expected one of them.")
    return held_out_probabilities(model, folds, inputs, labels, n_classes, units)


def _times_held_out(models: Sequence[tuple[State, Tensor]]) -> Tensor:
    """How many of the models held each example out [n]."""
    return torch.stack([held_out for _, held_out in models]).sum(dim=0)
