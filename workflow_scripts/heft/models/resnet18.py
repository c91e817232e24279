"""resnet18: the residual network of 18 layers in its form for small images, without the stem's stride and pooling."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from annotated_types import Gt, Le
from torch import Tensor, nn

from heft.models.declare import model

STAGES = 4  # each of two blocks; each but the first doubles the channels and halves the picture
LARGEST_GROUPS, FEWEST_CHANNELS = 32, 4  # of GroupNorm; one channel a group would be nothing at 1 x 1


@model(modality="images")
def resnet18(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    width: Annotated[int, Gt(0), Le(1_048_576)] = 64,
    norm: Literal["group", "batch"] = "group",
) -> nn.Module:
    """ResNet-18 (He et al. 2015, arXiv 1512.03385) with a 3 x 3 stem, as is usual for CIFAR; 11.2 million parameters.

    width: channels of the first stage. norm: `group` (GroupNorm of at most 32 groups, which treats every example by
    itself) or `batch` (BatchNorm, whose statistics are those of training; such models are trained one by one).
    """
    normalise = NORMS[norm]
    layers: list[nn.Module] = [convolution(input_shape[0], width, 1), normalise(width), nn.ReLU()]
    n_in = width
    for stage in range(STAGES):
        n_out = width * 2**stage
        layers += [Block(n_in, n_out, 1 if stage == 0 else 2, normalise), Block(n_out, n_out, 1, normalise)]
        n_in = n_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, n_classes))


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where the shape changes."""

    def __init__(self, n_in: int, n_out: int, stride: int, normalise: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            convolution(n_in, n_out, stride),
            normalise(n_out),
            nn.ReLU(),
            convolution(n_out, n_out, 1),
            normalise(n_out),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), normalise(n_out))
        self.activation = nn.ReLU()

    def forward(self, inputs: Tensor) -> Tensor:
        """Activation of residual plus shortcut."""
        activated: Tensor = self.activation(self.residual(inputs) + self.shortcut(inputs))
        return activated


def convolution(n_in: int, n_out: int, stride: int) -> nn.Module:
    """A 3 x 3 convolution without bias (the normalisation after it has one), initialised for ReLU."""
    layer = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


def group_norm(n_channels: int) -> nn.Module:
    """GroupNorm (Wu and He 2018, arXiv 1803.08494) of at most 32 groups of at least 4 channels."""
    most = max(1, min(LARGEST_GROUPS, n_channels // FEWEST_CHANNELS))
    n_groups = next(n for n in range(most, 0, -1) if n_channels % n == 0)
    return nn.GroupNorm(n_groups, n_channels)


NORMS: dict[str, Callable[[int], nn.Module]] = {"group": group_norm, "batch": nn.BatchNorm2d}
