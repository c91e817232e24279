"""What a model's file declares."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def model(*, needs_image: bool = False) -> "Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]":
    """Registers a function `(input_shape, n_classes, *, options...) -> nn.Module` whose output is logits.

    needs_image: the inputs have to be pictures, at least 4 x 4; else any shape is flattened.
    """

    def register(build: "Callable[..., nn.Module]") -> "Callable[..., nn.Module]":
        registered: Any = build
        registered.needs_image = needs_image
        return build

    return register
