"""What every model takes beside its own options: weights to start from, and parts that training leaves as they are."""

from collections.abc import Sequence
from pathlib import Path
from types import MethodType

from torch import nn

from heft.errors import HeftError
from heft.models.weights import put_weights
from heft.phrases import nearest
from heft.rooms import NO_PATH
from heft.state_files import read_state


def started(
    model: nn.Module, n_classes: int, label: str, *, weights: str | None = None, frozen: Sequence[str] = ()
) -> nn.Module:
    """The model with the weights of a file, and with frozen parts; `label` begins the sentence of a HeftError.

    weights: a safetensors file, or a state dictionary that torch.save wrote; see `put_weights` for what may differ.
    frozen: names of modules or parameters; with a module all below it. Frozen parameters require no gradient: they are
    not trained and count for no score. Frozen modules stay in evaluation mode, also while the others are trained: batch
    normalisation uses the statistics that it has and keeps them, and dropout is off.
    """
    if weights == NO_PATH:
        raise HeftError(
            f"{label}: weights is {NO_PATH}, which torchvision and timm alone have; give the path of a file."
        )
    if weights is not None:
        put_weights(model, read_state(Path(weights), label), n_classes, f"{label}: the weights in {weights}")
    for name in frozen:
        freeze(model, name, label)
    return model


def freeze(model: nn.Module, name: str, label: str) -> None:
    """Leaves a parameter, or a module with all below it, out of training; raises HeftError where there is none."""
    modules, parameters = dict(model.named_modules()), dict(model.named_parameters(remove_duplicate=False))
    if name in modules and name:
        modules[name].requires_grad_(False)
        for module in modules[name].modules():
            module.train = MethodType(_evaluation_alone, module)
    elif name in parameters:
        parameters[name].requires_grad_(False)
    else:
        known = [part for part in (*modules, *parameters) if part]
        top = [part for part in known if "." not in part]
        raise HeftError(f'{label}: frozen has "{name}", which is no part of it{nearest(name, top if top else known)}.')


def _evaluation_alone(module: nn.Module, mode: bool = True) -> nn.Module:
    """In the place of `train`: whatever the mode, the module stays in evaluation mode."""
    return nn.Module.train(module, False)
