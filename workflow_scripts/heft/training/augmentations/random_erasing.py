"""random_erasing: a random rectangle of the picture becomes black (Zhong et al. 2017, arXiv 1708.04896)."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen

from heft.training.augmentations.declare import Change, augmentation, ordered


@augmentation()
def random_erasing(
    shape: Sequence[int],
    *,
    probability: Annotated[float, Ge(0), Le(1)] = 0.5,
    scale: Annotated[Sequence[Annotated[float, Gt(0), Lt(1)]], MinLen(2), MaxLen(2)] = (0.02, 0.33),
) -> Change:
    """Of a picture with that probability. scale: least and most of the area that is erased."""
    from torchvision.transforms import v2

    erase: Change = v2.RandomErasing(p=probability, scale=ordered("scale", scale))
    return erase
