"""Refuses a trained model that scores would not be sound for."""

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.models.soundness.by_itself import check_each_by_itself
from heft.models.soundness.outputs import check_finite, check_shape
from heft.models.soundness.parameters import check_tensor
from heft.models.soundness.unchanged import check_same_input, check_same_state, copies_of
from heft.persons_code import persons_code

N = 3  # examples: one alone, another alone, and a third beside them
DIVERGED = "; check that training did not diverge"


def check_trained(model: nn.Module, label: str, inputs: Tensor, n_labels: int) -> int:
    """The number of classes of a model that is in evaluation mode.

    inputs [n, ...]: those that it is scored on, of which the first few are tried. n_labels: of labels that occur.
    Raises HeftError where a parameter is not ordinary or not finite, the model fails on the inputs, its logits are not
    finite numbers [n, n_classes], its forward pass changes something, or the logits of an example depend on chance or
    on the others of its batch.
    """
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        check_tensor(name, tensor, label, inputs.device)
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            value = parameter[~parameter.isfinite()][0].item()
            raise HeftError(f"{label}: {name} holds {value}, which is not finite{DIVERGED}.")
    few = inputs[:N]
    kind = str(few.dtype).removeprefix("torch.")
    with persons_code(f"{label} fails on inputs of shape {list(few.shape)} and type {kind}"):
        before, given = copies_of(model), few.clone()
        with torch.no_grad():
            logits = model(given)
        is_matrix = isinstance(logits, Tensor) and logits.dim() == 2
        n_classes = logits.shape[1] if is_matrix else n_labels
        check_shape(logits, label, len(few), n_classes, few.device)
        check_finite(logits, label, f"for the first examples{DIVERGED}")
        check_same_input(given, few, label)
        check_same_state(model, before, label)
        check_each_by_itself(model, few, label, n_classes)
    return n_classes
