"""Runs a model with a state that is not its own, also where parameters or modules of it stand under several names."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call


def call_with(model: nn.Module, state: Mapping[str, Tensor], inputs: Tensor) -> Any:
    """What `model` returns for `inputs` under `state`, by the names of its state dictionary; it is left as it is."""
    # torch ties names by itself, but leaves a module that is registered twice with the tensors of `state`.
    used = {name: state[name] for name in places(model) if name in state}
    return functional_call(model, used, (inputs,), tie_weights=False)


def places(model: nn.Module) -> list[str]:
    """Each attribute of a module that holds a parameter or buffer, by the first name of the module."""
    return [
        f"{prefix}.{attribute}" if prefix else attribute
        for prefix, module in model.named_modules()
        for attribute, tensor in (*module._parameters.items(), *module._buffers.items())
        if tensor is not None
    ]


def own_names(model: nn.Module) -> dict[str, str]:
    """The first name of each parameter and buffer, by each of its names."""
    first: dict[int, str] = {}
    found = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return {name: first.setdefault(id(tensor), name) for name, tensor in found}
