"""timm: any classifier of the package timm, by its name, for the data's classes and channels."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import nn

from heft.errors import HeftError
from heft.models.declare import model
from heft.models.weights import put_weights
from heft.phrases import nearest
from heft.rooms import NO_PATH
from heft.state_files import read_state


@model(modality="images")
def timm(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    name: str,
    weights: str | None = None,
    arguments: Mapping[str, Any] = {},
) -> nn.Module:
    """name: such as resnet18.a1_in1k. weights: null, from scratch; default, timm's own, from the cache of the Hugging
    Face hub or by a download; or a file. arguments: of timm.create_model, such as {img_size: 32} of a vit.

    Raises HeftError where timm is not installed, for an unknown name, and weights that are not there or do not fit.
    """
    if find_spec("timm") is None:
        raise HeftError('model timm needs the package timm, not installed here: `pip install "heft[timm]"`.')
    import timm as package

    if not package.is_model(name):
        raise HeftError(f'model timm: name is "{name}"{nearest(name, package.list_models())}.')
    given = {**arguments, "num_classes": n_classes, "in_chans": input_shape[0]}
    try:
        network: nn.Module = package.create_model(name, pretrained=weights == NO_PATH, **given)
    except OSError as error:
        raise HeftError(
            f"model timm: the weights of {name} are not on this machine, and their download failed "
            f"({' '.join(str(error).split())[:120]}); give the path of a file."
        ) from error
    if weights not in (None, NO_PATH):
        state = read_state(Path(str(weights)), "model timm")
        put_weights(network, state, n_classes, f"model timm: the weights in {weights}")
    return network
