"""What a model has to return: finite logits [n, n_classes] of a floating type."""

from typing import Any

import torch
from torch import Tensor

from heft.devices import CPU
from heft.errors import HeftError


def check_shape(logits: Any, label: str, n: int, n_classes: int, device: torch.device = CPU) -> None:
    """Raises HeftError where the output is no tensor of logits [n, n_classes] on the device, that of the inputs."""
    if not isinstance(logits, Tensor):
        what = "None" if logits is None else f"a {type(logits).__name__}"
        raise HeftError(f"{label} returns {what}; its forward has to return the tensor of logits alone.")
    if tuple(logits.shape) != (n, n_classes):
        examples = "1 example" if n == 1 else f"{n} examples"
        raise HeftError(
            f"{label} returns shape {list(logits.shape)} for {examples}; expected {[n, n_classes]} (examples, classes)."
        )
    if logits.layout != torch.strided or not logits.is_floating_point():
        kind = str(logits.dtype if logits.layout == torch.strided else logits.layout).removeprefix("torch.")
        raise HeftError(f"{label} returns logits of type {kind}; expected a floating type, such as float32.")
    if logits.device != device:
        raise HeftError(
            f"{label} returns logits on the device {logits.device}; its forward has to stay on the {device}."
        )


def check_finite(logits: Tensor, label: str, when: str = "with its initial parameters") -> None:
    """Raises HeftError where a logit is not finite."""
    if not logits.isfinite().all():
        value = logits[~logits.isfinite()][0].item()
        raise HeftError(f"{label} returns logits that are not finite ({value}) {when}.")
