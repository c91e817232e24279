"""What a model's file declares."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def model(*, modality: str | None = None) -> "Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]":
    """Registers a function `(input_shape, n_classes, *, options...) -> nn.Module` whose output is logits.

    modality: the only one that the model takes; it also says how small an input may be. None: inputs of any shape.
    """

    def register(build: "Callable[..., nn.Module]") -> "Callable[..., nn.Module]":
        registered: Any = build
        registered.modality = modality
        return build

    return register
