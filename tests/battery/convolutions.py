"""Convolutions in all dimensions, paddings, groups and strides, transposed ones, pooling."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations

from battery.entry import N_CLASSES, N_INPUTS, Entry, Function, entry


def picture(*layers: nn.Module) -> nn.Sequential:
    """The layers on 1 x 4 x 4 pictures, then SiLU and a linear layer to the logits."""
    return nn.Sequential(*layers, nn.SiLU(), nn.Flatten(), nn.LazyLinear(N_CLASSES))


def conv2d(n_in: int = 1, n_out: int = 4, size: int = 3, **options: Any) -> Entry:
    first = [nn.Conv2d] if n_in == 1 else [lambda *_a, **_k: nn.Conv2d(1, n_in, 1)]
    return entry(lambda: picture(*([] if n_in == 1 else [first[0]()]), nn.Conv2d(n_in, n_out, size, **options)))


def reshaped(shape: tuple[int, ...], layer: Callable[[], nn.Module]) -> Entry:
    """The 16 numbers as `shape`, then the layer."""
    return entry(lambda: picture(nn.Flatten(), nn.Unflatten(1, shape), layer()))


def channels_last() -> nn.Module:
    """A convolution whose input comes in another memory layout."""
    return Function(
        lambda self, x: self.rest(self.convolution(x.to(memory_format=torch.channels_last).permute(0, 1, 3, 2))),
        convolution=nn.Conv2d(1, 4, 3, padding=1),
        rest=nn.Sequential(nn.SiLU(), nn.Flatten(), nn.Linear(4 * N_INPUTS, N_CLASSES)),
    )


def residual() -> nn.Module:
    """Two convolutions beside a shortcut, with an activation that works in place after the sum."""
    return Function(
        lambda self, x: self.out(torch.relu_(self.second(torch.relu(self.first(x))) + self.shortcut(x)).mean((2, 3))),
        first=nn.Conv2d(1, 4, 3, padding=1),
        second=nn.Conv2d(4, 4, 3, padding=1, bias=False),
        shortcut=nn.Conv2d(1, 4, 1),
        out=nn.Linear(4, N_CLASSES),
    )


MODELS = {
    "conv2d": conv2d(padding=1),
    "conv2d_without_bias": conv2d(padding=1, bias=False),
    "conv2d_same": conv2d(padding="same"),
    "conv2d_valid": conv2d(padding="valid"),
    "conv2d_circular": conv2d(padding=1, padding_mode="circular"),
    "conv2d_reflect": conv2d(padding=1, padding_mode="reflect"),
    "conv2d_replicate": conv2d(padding=1, padding_mode="replicate"),
    "conv2d_strided": conv2d(padding=1, stride=2),
    "conv2d_dilated": conv2d(padding=2, dilation=2),
    "conv2d_groups": conv2d(4, 4, padding=1, groups=2),
    "conv2d_depthwise": conv2d(4, 8, padding=1, groups=4),
    "conv2d_uneven": conv2d(size=(1, 3), padding=(0, 1)),  # type: ignore[arg-type]
    "conv2d_channels_last": entry(channels_last),
    "conv2d_weight_norm": entry(lambda: picture(parametrizations.weight_norm(nn.Conv2d(1, 4, 3)))),
    "conv1d": reshaped((2, 8), lambda: nn.Conv1d(2, 3, 3, padding=1)),
    "conv1d_groups": reshaped((4, 4), lambda: nn.Conv1d(4, 4, 3, padding=1, groups=2)),
    "conv3d": reshaped((1, 2, 2, 4), lambda: nn.Conv3d(1, 3, (1, 2, 3), padding=(0, 1, 1))),
    "conv_transpose1d": reshaped((2, 8), lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, output_padding=1)),
    "conv_transpose2d": entry(lambda: picture(nn.ConvTranspose2d(1, 3, 3, stride=2, groups=1))),
    "conv_transpose3d": reshaped((1, 2, 2, 4), lambda: nn.ConvTranspose3d(1, 2, 2)),
    "max_pool": entry(lambda: picture(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2))),
    "average_pool": entry(lambda: picture(nn.Conv2d(1, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1))),
    "upsample": entry(lambda: picture(nn.Conv2d(1, 2, 3), nn.Upsample(scale_factor=2, mode="bilinear"))),
    "pixel_shuffle": entry(lambda: picture(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(1, 2, 3))),
    "residual": entry(residual),
}
