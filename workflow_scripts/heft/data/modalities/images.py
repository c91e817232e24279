"""images: pictures of any number of channels, all of one size."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heft.data.fields.arrays import number_or_each
from heft.data.modalities.declare import Modality, Shown, modality

LARGEST_SIDE = 96  # pixels; larger images become thumbnails


@modality(axes=["channels", "height", "width"], smallest=[1, 4, 4])
@dataclass(frozen=True)
class Images(Modality):
    """A picture in 0..1 is `inputs * std + mean`; both are a number, or one for each channel."""

    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """`mean` and `std`."""
        return {
            name: number_or_each(value, input_shape[0], name, "channel")
            for name, value in (("mean", self.mean), ("std", self.std))
        }

    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """Pictures, their normalisation undone; channels beyond grey or RGB are averaged."""
        return [Shown(picture=self._data_uri(inputs[row])) for row in rows]

    def _data_uri(self, image: np.ndarray) -> str:
        from PIL import Image

        channels = image.shape[0]
        mean, std = (np.reshape(np.broadcast_to(value, channels), (-1, 1, 1)) for value in (self.mean, self.std))
        pixels = np.clip(np.asarray(image, dtype=np.float64) * std + mean, 0, 1)
        pixels = pixels.mean(axis=0) if channels != 3 else np.moveaxis(pixels, 0, -1)
        picture = Image.fromarray(np.round(255 * pixels).astype(np.uint8))
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        written = io.BytesIO()
        picture.save(written, "PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
