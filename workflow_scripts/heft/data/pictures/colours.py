"""Turns pixels of any kind into red, green and blue of 0 to 255: grey, palettes, CMYK, transparency, more bits."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

WHITE = (255, 255, 255, 255)


def rgb_of(image: "Image.Image") -> "Image.Image":
    """The picture in mode RGB; what is transparent lies on white.

    16 bits of grey are divided by 257. Grey of 32 bits or with fractions has no fixed white: the picture's own
    smallest value becomes 0, its largest 255.
    """
    from PIL import Image

    if image.mode.startswith("I;16"):
        return _grey((np.asarray(image).astype(np.uint32) + 128) // 257)
    if image.mode in ("I", "F"):
        return _grey(_stretched(np.asarray(image).astype(np.float64)))
    if not image.has_transparency_data:
        return image.convert("RGB")
    transparent = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), transparent).convert("RGB")


def _grey(values: np.ndarray) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros_like(values)
    low, high = values[finite].min(), values[finite].max()
    within = np.clip(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high)
    return np.round(255 * (within - low) / max(high - low, np.finfo(np.float64).tiny))
