"""Changes of a trained model that make the members of an ensemble; each follows from seed and member number alone.

`parameter_dropout`: each parameter is zeroed with probability p_k ~ U(0, p_max); the others stay as they are, or
with `rescale` are divided by 1 - p_k.
`gaussian`: N(0, sigma^2) is added to each parameter.
`activation_dropout`: what enters each layer but the first is zeroed with probability `rate` and divided by 1 - rate:
one mask per layer and member, over features or channels, the same for every example, training and validation alike.
Buffers are never changed. A member that has several states (checkpoints, folds) has the same change in all of them.
"""

import copy
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from heft.errors import HeftError

Change = tuple[nn.Module, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]]  # the model, and the change of a state


def perturbation(kind: str, model: nn.Module, seed: int, number: int, values: Mapping[str, float]) -> Change:
    """The change of member `number`, with the values of the kind's options."""
    return CHANGES[kind](model, seed, number, **values)


def parameter_dropout(model: nn.Module, seed: int, number: int, p_max: float, rescale: bool = False) -> Change:
    """See `dropout_masks`; the masks are those without `rescale`."""
    keep, probability = dropout_masks(model, seed, number, p_max)
    factor = 1 / (1 - probability) if rescale else 1.0
    return model, lambda state: {
        name: torch.where(keep[name], factor * tensor, 0) if name in keep else tensor for name, tensor in state.items()
    }


def dropout_masks(model: nn.Module, seed: int, number: int, p_max: float) -> tuple[dict[str, Tensor], float]:
    """Of member `number`, for each parameter what is kept (bool), and the probability p_k of being zeroed."""
    generator = _generator(seed, "parameter_dropout", number)
    probability = p_max * torch.rand((), generator=generator)
    keep = {
        name: torch.rand(parameter.shape, generator=generator) >= probability
        for name, parameter in model.named_parameters()
    }
    return keep, float(probability)


def gaussian(model: nn.Module, seed: int, number: int, sigma: float) -> Change:
    """Adds the same noise to every state of the member."""
    generator = _generator(seed, "gaussian", number)
    noise = {
        name: sigma * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
        for name, parameter in model.named_parameters()
    }
    return model, lambda state: {
        name: tensor + noise[name] if name in noise else tensor for name, tensor in state.items()
    }


def activation_dropout(model: nn.Module, seed: int, number: int, rate: float) -> Change:
    """A copy of the model with a fixed mask before each layer but the first; states stay as they are.

    Raises HeftError where the model has no second Linear or Conv layer, so no activation to drop.
    """
    generator = _generator(seed, "activation_dropout", number)
    masked = copy.deepcopy(model)
    layers = [module for module in masked.modules() if isinstance(module, nn.Linear | nn.modules.conv._ConvNd)]
    if len(layers) < 2:
        raise HeftError("activation_dropout: the model has no hidden layer whose activations could be dropped.")
    for layer in layers[1:]:
        on_last_axis = isinstance(layer, nn.Linear)
        size = layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels
        kept = (torch.rand(size, generator=generator) >= rate) / (1 - rate)
        layer.register_forward_pre_hook(partial(_multiply, kept if on_last_axis else kept[:, None, None]))
    return masked, dict


def _multiply(mask: Tensor, _layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return inputs[0] * mask.to(inputs[0].dtype), *inputs[1:]


CHANGES: dict[str, Callable[..., Change]] = {
    "parameter_dropout": parameter_dropout,
    "gaussian": gaussian,
    "activation_dropout": activation_dropout,
}


def _generator(seed: int, kind: str, number: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{kind}/{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
