"""Pictures as networks for images take them."""

from torch import Tensor
from torch.nn.functional import interpolate


def resized(pictures: Tensor, size: int | None) -> Tensor:
    """Float32 [n, 3, size, size] of 0..255, by bicubic interpolation that smooths where it shrinks, as Pillow's.

    pictures: uint8 [n, 3, height, width]. size: None leaves them as large as they are. A picture that is not square
    is stretched.
    """
    numbers = pictures.float()
    if size is None or tuple(pictures.shape[2:]) == (size, size):
        return numbers
    return interpolate(numbers, (size, size), mode="bicubic", antialias=True).clamp(0, 255)
