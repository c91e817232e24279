"""random_resized_crop: a random part of the picture, made as large as the whole."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt, Le, MaxLen, MinLen

from heft.training.augmentations.declare import Change, augmentation, ordered


@augmentation()
def random_resized_crop(
    shape: Sequence[int],
    *,
    scale: Annotated[Sequence[Annotated[float, Gt(0), Le(1)]], MinLen(2), MaxLen(2)] = (0.08, 1.0),
    ratio: Annotated[Sequence[Annotated[float, Gt(0)]], MinLen(2), MaxLen(2)] = (0.75, 1.333),
) -> Change:
    """scale: least and most of the area that is kept. ratio: of its width to its height."""
    from torchvision.transforms import v2

    sizes, ratios = ordered("scale", scale), ordered("ratio", ratio)
    crop: Change = v2.RandomResizedCrop(tuple(shape[1:]), scale=sizes, ratio=ratios, antialias=True)
    return crop
