"""horizontal_flip: left and right change places."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le

from heft.training.augmentations.declare import Change, augmentation


@augmentation()
def horizontal_flip(shape: Sequence[int], *, probability: Annotated[float, Ge(0), Le(1)] = 0.5) -> Change:
    """Of a picture with that probability."""
    from torchvision.transforms import v2

    flip: Change = v2.RandomHorizontalFlip(p=probability)
    return flip
