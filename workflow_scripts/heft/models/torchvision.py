"""torchvision: any of torchvision's classifiers, by its name, for the data's classes and channels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from heft.errors import HeftError
from heft.models.declare import model
from heft.models.weights import COLOURS, put_weights
from heft.phrases import nearest
from heft.rooms import NO_PATH
from heft.state_files import read_state


@model(modality="images")
def torchvision(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    name: str,
    weights: str | None = None,
    arguments: Mapping[str, Any] = {},
) -> nn.Module:
    """name: such as resnet18. weights: null, from scratch; default, torchvision's newest, from its cache or by a
    download; or a file. arguments: of torchvision's function, such as {image_size: 32} of a vit.

    Raises HeftError for an unknown name, weights that are not there or do not fit, and weights where pictures have
    neither 1 nor 3 channels.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise HeftError(f'model torchvision: name is "{name}"{nearest(name, known)}.')
    channels = input_shape[0]
    if weights is not None and channels not in (1, COLOURS):
        raise HeftError(f"model torchvision: {name} has weights for 1 or 3 channels; an input has {channels}.")
    network: nn.Module = models.get_model(name, weights=None, num_classes=n_classes, **arguments)
    if channels != COLOURS:
        _take_channels(network, channels)
    if weights == NO_PATH:
        state = _fetched(name)
        put_weights(network, state, n_classes, f"model torchvision: torchvision's weights of {name}")
    elif weights is not None:
        state = read_state(Path(weights), "model torchvision")
        put_weights(network, state, n_classes, f"model torchvision: the weights in {weights}")
    return network


def _take_channels(network: nn.Module, channels: int) -> None:
    """Puts a first convolution on that many channels in the place of the one on three colours, with new weights."""
    name, old = next((name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d))
    alike: Any = {key: getattr(old, key) for key in ("kernel_size", "stride", "padding", "dilation", "padding_mode")}
    network.set_submodule(name, nn.Conv2d(channels, old.out_channels, bias=old.bias is not None, **alike))


def _fetched(name: str) -> dict[str, Tensor]:
    """The newest weights of a network, from torchvision's cache or by a download."""
    from torchvision.models import get_model

    try:
        pretrained = get_model(name, weights="DEFAULT", progress=False)
    except OSError as error:
        raise HeftError(
            f"model torchvision: the weights of {name} are not on this machine, and their download failed ({error}); "
            "give the path of a file."
        ) from error
    return dict(pretrained.state_dict())
