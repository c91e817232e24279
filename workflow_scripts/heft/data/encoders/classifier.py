"""Features of a classifier of images: what goes into its last layer, which is taken away."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heft.data.encoders.declare import Encoder
from heft.data.encoders.pictures import resized
from heft.data.encoders.weights import hash_of
from heft.errors import HeftError


class ClassifierFeatures(Encoder):
    """Pictures through a network whose classifier is gone.

    size: pixels that pictures are brought to. mean, std: of red, green and blue of 0..1 in its training.
    """

    def __init__(self, name: str, network: nn.Module, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        self.network, self.size = network.eval().requires_grad_(False), size
        self.mean, self.std = (torch.tensor(value).reshape(3, 1, 1) for value in (mean, std))
        self.files = {"weights": hash_of(network.state_dict())}
        try:
            features = self.encode(torch.zeros(1, 3, size, size, dtype=torch.uint8))
        except (RuntimeError, AssertionError, ValueError) as error:  # as networks refuse a size
            said = " ".join(str(error).split())[:120]
            raise HeftError(
                f"Encoder {name}: the network takes no pictures of {size} x {size} pixels ({said})."
            ) from error
        if features.ndim != 2:
            raise HeftError(f"Encoder {name}: features have shape {list(features.shape)}; expected [n, width].")
        self.width = features.shape[1]

    def encode(self, batch: Tensor) -> Tensor:
        pictures = (resized(batch, self.size) / 255 - self.mean) / self.std
        with torch.no_grad():
            features: Tensor = self.network(pictures)
        return features
