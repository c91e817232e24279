"""activation_dropout: members are the trained model with a fixed mask on its activations, the same for all examples.

What enters each layer but the first is zeroed with probability `rate` and divided by 1 - rate: one mask a layer and
member, over features or channels. Layers are Linear, Bilinear, convolutions, attention and recurrent ones.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import torch
from annotated_types import Gt, Lt
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel, TrainedModel
from heft.errors import HeftError

Hidden = nn.Linear | nn.Bilinear | nn.modules.conv._ConvNd | nn.MultiheadAttention | nn.RNNBase | nn.RNNCellBase


@ensemble(
    title="activation dropout",
    members="the trained model with a fixed mask on what enters each layer but the first",
    perturbs=True,
)
def activation_dropout(
    trained: TrainedModel, number: int, *, rate: Annotated[float, Gt(0), Lt(1)] = 0.1
) -> MemberModel:
    """A copy of the model with a fixed mask before each layer but the first; states stay as they are.

    Raises HeftError where the model has no second layer, so no activation to drop, or cannot be copied.
    """
    model, generator = trained.network, trained.generator("activation_dropout", number)
    try:
        masked = copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise HeftError(f"activation_dropout: {type(model).__name__} cannot be copied: {reason}") from error
    attentions = [module for module in masked.modules() if isinstance(module, nn.MultiheadAttention)]
    inside = {id(part) for attention in attentions for part in attention.children()}
    layers = [module for module in masked.modules() if isinstance(module, Hidden) and id(module) not in inside]
    if len(layers) < 2:
        raise HeftError("activation_dropout: the model has no hidden layer whose activations could be dropped.")
    for layer in layers[1:]:
        masks = {
            name: ((torch.rand(size, generator=generator) >= rate) / (1 - rate)).to(trained.device)
            for name, size in _entries(layer).items()
        }
        layer.register_forward_pre_hook(_Masked(layer, masks), with_kwargs=True)
    return MemberModel(change=dict, network=masked)


def _entries(layer: Any) -> dict[str, int]:
    """What enters the layer, by the names of its arguments in their order, and the number of features of each."""
    if isinstance(layer, nn.Linear):
        return {"input": layer.in_features}
    if isinstance(layer, nn.Bilinear):
        return {"input1": layer.in1_features, "input2": layer.in2_features}
    if isinstance(layer, nn.MultiheadAttention):
        return {"query": layer.embed_dim, "key": layer.kdim, "value": layer.vdim}
    if isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        return {"input": layer.input_size}
    return {"input": layer.in_channels}


class _Masked:
    """Multiplies what enters a layer, given by place or by name, with one mask each."""

    def __init__(self, layer: nn.Module, masks: Mapping[str, Tensor]) -> None:
        n_spatial = len(layer.kernel_size) if isinstance(layer, nn.modules.conv._ConvNd) else 0
        shape = (-1, *(1 for _ in range(n_spatial)))  # channels stand before the spatial axes, features last
        self._masks = {name: mask.view(shape) for name, mask in masks.items()}

    def __call__(
        self, _layer: nn.Module, given: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        masks = list(self._masks.values())
        places = [_times(value, masks[k]) if k < len(masks) else value for k, value in enumerate(given)]
        names = {key: _times(value, self._masks[key]) if key in self._masks else value for key, value in named.items()}
        return tuple(places), names


def _times(value: Any, mask: Tensor) -> Any:
    if isinstance(value, PackedSequence):
        return value._replace(data=_times(value.data, mask))
    return value * mask.to(value.dtype)
