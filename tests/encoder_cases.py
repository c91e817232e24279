"""Raw examples for the tests of encoders, and encoders whose features are known."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from heft.data.encoders.declare import Encoder


def pictures(n: int, size: int = 32, seed: int = 0) -> Tensor:
    """uint8 [n, 3, size, size]: blots and noise."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] / size
    waves = generator.uniform(1, 9, (n, 3, 2, 1, 1))
    drawn = np.sin(waves[:, :, 0] * rows + waves[:, :, 1] * columns) + 0.2 * generator.standard_normal(
        (n, 3, size, size)
    )
    return torch.from_numpy(np.clip(127 + 90 * drawn, 0, 255).astype(np.uint8))


def chunks(raw: Tensor, size: int) -> Iterator[Tensor]:
    return (raw[first : first + size] for first in range(0, len(raw), size))


class Counted(Encoder):
    """A linear map of the pixels, which counts how many examples it was called with."""

    files: dict[str, str] = {}  # noqa: RUF012
    batch_size = 4

    def __init__(self, width: int = 3, n_pixels: int = 3 * 8 * 8) -> None:
        self.width, self.sizes = width, []
        self.map = torch.randn(n_pixels, width, generator=torch.Generator().manual_seed(0))

    def encode(self, batch: Tensor) -> Tensor:
        self.sizes.append(len(batch))
        return batch.flatten(1).float() @ self.map
