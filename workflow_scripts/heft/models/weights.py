"""Puts weights of the same network into a model, perhaps of one for other classes, or for colours in place of grey."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from heft.errors import HeftError

COLOURS = 3
WRAPPED = "module."  # before each name of a model that nn.DataParallel held


def put_weights(model: nn.Module, weights: Mapping[str, Tensor], n_classes: int, where: str) -> None:
    """Loads weights by the names of the model's state dictionary; raises HeftError, which `where` begins.

    The layer of the classes, which is the last one with an output for each, keeps its initial values if it is missing
    or for another number of classes. Weights of the first convolution on three colours are summed for a model of grey
    pictures: of a picture whose colours are equal the result is the same. Counters of batches may be missing.
    """
    own = model.state_dict()
    if all(name.startswith(WRAPPED) for name in weights) and not any(name.startswith(WRAPPED) for name in own):
        weights = {name.removeprefix(WRAPPED): value for name, value in weights.items()}
    head, first = _head(model, n_classes), _first_convolution(model)
    fitting = {}
    for name, value in weights.items():
        if name == first and name in own and _grey_of_colours(value, own[name]):
            value = value.sum(dim=1, keepdim=True)
        if name not in head or (name in own and own[name].shape == value.shape):
            fitting[name] = value
    _check(own, fitting, head, where)
    with torch.no_grad():
        for name, value in fitting.items():
            own[name].copy_(value)


def _check(own: Mapping[str, Tensor], fitting: Mapping[str, Tensor], head: set[str], where: str) -> None:
    needed = [name for name in own if name not in head and not name.endswith("num_batches_tracked")]
    lacking = [name for name in needed if name not in fitting]
    beyond = [name for name in fitting if name not in own]
    if lacking and len(lacking) == len(needed):
        raise HeftError(
            f"{where} are of another network: none of its names is one of the model's; they begin with "
            f"{beyond[0] if beyond else 'nothing'}, the model's with {needed[0]}."
        )
    for names, said in ((lacking, "lack {}, which the model has"), (beyond, "have {}, which the model has not")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise HeftError(f"{where} are of another network: they {said.format(names[0] + more)}.")
    for name, value in fitting.items():
        if value.shape != own[name].shape:
            raise HeftError(
                f"{where} have {name} of shape {list(value.shape)}; the model's is {list(own[name].shape)}."
            )


def _head(model: nn.Module, n_classes: int) -> set[str]:
    """The names of what the layer of the classes holds; empty where no layer has an output for each."""
    owned: dict[str, list[tuple[str, Tensor]]] = {}
    for name, tensor in model.named_parameters():
        owned.setdefault(name.rpartition(".")[0], []).append((name, tensor))
    fitting = [held for held in owned.values() if all(tensor.dim() and len(tensor) == n_classes for _, tensor in held)]
    return {name for name, _ in fitting[-1]} if fitting else set()


def _first_convolution(model: nn.Module) -> str:
    """The name of the weights of the first convolution, or nothing."""
    kinds: Any = nn.modules.conv._ConvNd
    return next((f"{name}.weight" for name, module in model.named_modules() if isinstance(module, kinds)), "")


def _grey_of_colours(given: Tensor, own: Tensor) -> bool:
    return given.dim() == own.dim() and given.shape[1] == COLOURS and own.shape[1] == 1
