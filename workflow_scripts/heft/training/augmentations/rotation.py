"""rotation: the picture is turned about its centre; what comes into view is black."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt, Le

from heft.training.augmentations.declare import Change, augmentation


@augmentation()
def rotation(shape: Sequence[int], *, degrees: Annotated[float, Gt(0), Le(180)] = 15.0) -> Change:
    """By an angle that is drawn between minus and plus `degrees`, with bilinear interpolation."""
    from torchvision.transforms import v2

    turn: Change = v2.RandomRotation(degrees, interpolation=v2.InterpolationMode.BILINEAR)
    return turn
