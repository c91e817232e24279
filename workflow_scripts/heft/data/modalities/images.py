"""images: pictures of any number of channels, all of one size."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from heft.data.fields.arrays import array_of, number_or_each
from heft.data.modalities.declare import Modality, Shown, modality
from heft.data.near.pictures import similar_pictures
from heft.errors import HeftError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SIDE = 96  # pixels; larger images become thumbnails


@modality(axes=["channels", "height", "width"], smallest=[1, 4, 4])
@dataclass(frozen=True)
class Images(Modality):
    """A picture in 0..1 is `inputs * std + mean`; both are a number, or one for each channel.

    pixels: inputs are stored as uint8, 0 to 255, in a quarter of the space, and normalised where they are read.
    """

    shows_alone: ClassVar[bool] = True
    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0
    pixels: bool = False

    def check(self, inputs: Any) -> np.ndarray:
        """Float32 [n, *axes], or uint8 where these are pixels."""
        if not self.pixels:
            return super().check(inputs)
        array = array_of(inputs, "inputs")
        if array.ndim != 4 or 0 in array.shape[1:] or array.dtype != np.uint8:
            raise HeftError(
                f"inputs have shape {array.shape} and type {array.dtype}; pixels are uint8 of shape "
                f"[{', '.join(['n', *self.axes])}]."
            )
        return array

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """`mean` and `std`, and whether these are pixels."""
        numbers = {
            name: number_or_each(value, input_shape[0], name, "channel")
            for name, value in (("mean", self.mean), ("std", self.std))
        }
        return numbers | ({"pixels": True} if self.pixels else {})

    def batch(self, rows: "Tensor") -> "Tensor":
        """Float32 [n, channels, height, width], normalised."""
        if not self.pixels:
            return rows
        mean, std = (self._each_channel(value, rows.shape[1]) for value in (self.mean, self.std))
        scaled = rows.float().div_(255)
        return scaled.sub_(scaled.new_tensor(mean)).div_(scaled.new_tensor(std))

    def near_duplicates(self, inputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Pairs of places in `rows` whose pictures show the same; see `heft.data.near.pictures`."""
        mean, std = (self._each_channel(value, inputs.shape[1]) for value in (self.mean, self.std))
        return similar_pictures(inputs, rows, *((1 / 255, 0.0) if self.pixels else (std, mean)))

    def raw(self, rows: "Tensor") -> "Tensor":
        """Uint8 [n, 3, height, width] of 0..255: a grey picture three times, of more than three channels their mean."""
        import torch

        if not self.pixels:
            mean, std = (rows.new_tensor(self._each_channel(value, rows.shape[1])) for value in (self.mean, self.std))
            rows = rows.mul(std).add_(mean).mul_(255).round_().clamp_(0, 255).to(torch.uint8)
        if rows.shape[1] == 3:
            return rows
        grey = rows if rows.shape[1] == 1 else rows.float().mean(1, keepdim=True).round_().to(torch.uint8)
        return grey.expand(-1, 3, -1, -1).contiguous()

    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """Pictures, their normalisation undone; channels beyond grey or RGB are averaged."""
        return [Shown(picture=self._data_uri(inputs[row])) for row in rows]

    def picture_scale(self, n_channels: int) -> tuple[Sequence[float], Sequence[float]]:
        """`mean` and `std`, one for each channel."""
        mean, std = (self._each_channel(value, n_channels).flatten().tolist() for value in (self.mean, self.std))
        return mean, std

    @staticmethod
    def _each_channel(value: float | Sequence[float], channels: int) -> np.ndarray:
        """Float64 [channels, 1, 1]."""
        return np.array(np.broadcast_to(value, channels), np.float64).reshape(-1, 1, 1)

    def _data_uri(self, image: np.ndarray) -> str:
        from PIL import Image

        channels = image.shape[0]
        if self.pixels:
            pixels = image.astype(np.float64) / 255
        else:
            mean, std = (self._each_channel(value, channels) for value in (self.mean, self.std))
            pixels = np.clip(np.asarray(image, dtype=np.float64) * std + mean, 0, 1)
        pixels = pixels.mean(axis=0) if channels != 3 else np.moveaxis(pixels, 0, -1)
        picture = Image.fromarray(np.round(255 * pixels).astype(np.uint8))
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        written = io.BytesIO()
        picture.save(written, "PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
