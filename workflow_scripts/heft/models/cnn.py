"""cnn: a small convolutional network with GELU and average pooling (both smooth) and no batch normalisation."""

import itertools
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt, Le, MinLen
from torch import nn

from heft.models.declare import model


@model(modality="images")
def cnn(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    channels: Annotated[Sequence[Annotated[int, Gt(0), Le(1_048_576)]], MinLen(1)] = (8, 16),
) -> nn.Module:
    """Blocks of 3 x 3 convolution, GELU and 2 x 2 average pooling, then one linear layer to the logits."""
    n_channels, height, width = input_shape
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise([n_channels, *channels]):
        layers += [nn.Conv2d(n_in, n_out, kernel_size=3, padding=1), nn.GELU(), nn.AvgPool2d(2)]
        height, width = height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * height * width, n_classes))
