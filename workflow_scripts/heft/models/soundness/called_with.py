"""Runs a model with other values in the place of its parameters and buffers."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call


def called_with(model: nn.Module, values: Mapping[str, Tensor], inputs: Tensor) -> Any:
    """What the model returns while it holds `values`, by the names of `named_parameters` and `named_buffers`.

    The model is left as it was. (Torch's own way with shared tensors leaves the values in a module that is registered
    twice.)
    """
    own = [*model.named_parameters(), *model.named_buffers()]
    first = {id(tensor): name for name, tensor in own if name in values}
    held = {
        f"{prefix}.{attribute}" if prefix else attribute: values[first[id(tensor)]]
        for prefix, module in model.named_modules()
        for attribute, tensor in (*module._parameters.items(), *module._buffers.items())
        if tensor is not None and id(tensor) in first
    }
    return functional_call(model, held, (inputs,), tie_weights=False)
