"""color_jitter: brightness, contrast, saturation and hue change at random."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le

from heft.errors import HeftError
from heft.training.augmentations.declare import Change, augmentation


@augmentation()
def color_jitter(
    shape: Sequence[int],
    *,
    brightness: Annotated[float, Ge(0), Le(1)] = 0.2,
    contrast: Annotated[float, Ge(0), Le(1)] = 0.2,
    saturation: Annotated[float, Ge(0), Le(1)] = 0.2,
    hue: Annotated[float, Ge(0), Le(0.5)] = 0.0,
) -> Change:
    """Each by a factor between 1 minus and 1 plus its option; hue by that part of the colour circle.

    Grey pictures have neither saturation nor hue. Raises HeftError for other numbers of channels than 1 and 3.
    """
    from torchvision.transforms import v2

    if shape[0] not in (1, 3):
        raise HeftError(f"color_jitter takes pictures of 1 or 3 channels; these have {shape[0]}.")
    jitter: Change = v2.ColorJitter(brightness, contrast, saturation, hue)
    return jitter
