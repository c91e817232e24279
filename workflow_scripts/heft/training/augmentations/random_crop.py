"""random_crop: the picture with a border, cut back to its size at a random place."""

from collections.abc import Sequence
from typing import Annotated, Literal

from annotated_types import Gt

from heft.training.augmentations.declare import Change, augmentation


@augmentation()
def random_crop(
    shape: Sequence[int],
    *,
    padding: Annotated[int, Gt(0)] = 4,
    border: Literal["constant", "edge", "reflect", "symmetric"] = "constant",
) -> Change:
    """padding: pixels on each side. border: what they hold; constant is black."""
    from torchvision.transforms import v2

    crop: Change = v2.RandomCrop(tuple(shape[1:]), padding=padding, padding_mode=border)
    return crop
