"""Runs a model while it holds other values than its own, also where a tensor or a module of it has several names."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.func import functional_call

Result = TypeVar("Result")


def call(model: nn.Module, values: Mapping[str, Tensor], inputs: Tensor) -> Any:
    """What the model returns for the inputs while it holds `values`; it is left as it was.

    values: by the names of `named_parameters` and `named_buffers`, of which each tensor has one. What is not among them
    stays the model's own.
    """
    # Torch's own way with shared tensors leaves the values in a module that is registered twice.
    return functional_call(model, _at_each_place(model, values), (inputs,), tie_weights=False)


def while_holding(model: nn.Module, values: Mapping[str, Tensor], run: Callable[[nn.Module], Result]) -> Result:
    """run(model) while the model holds `values`, as in `call`.

    A backward pass belongs into `run`: what activation checkpointing computes again must see the same values.
    """
    held = {f"model.{name}": tensor for name, tensor in _at_each_place(model, values).items()}
    result: Result = functional_call(_Holding(model), held, (run,), tie_weights=False)
    return result


def places(model: nn.Module) -> dict[str, str]:
    """{place: name}: where the modules hold parameters and buffers, each with its name in `named_parameters`.

    A place is an attribute of a module under the first name of the module. A module that has two names counts once,
    since torch would not give it back its own parameters.
    """
    first: dict[int, str] = {}
    held = {
        f"{prefix}.{attribute}" if prefix else attribute: tensor
        for prefix, module in model.named_modules()
        for attribute, tensor in (*module._parameters.items(), *module._buffers.items())
        if tensor is not None
    }
    return {place: first.setdefault(id(tensor), place) for place, tensor in held.items()}


def _at_each_place(model: nn.Module, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {place: values[name] for place, name in places(model).items() if name in values}


class _Holding(nn.Module):
    """Runs what it is given with its model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, run: Callable[[nn.Module], Any]) -> Any:
        """What `run` makes of the model."""
        return run(self.model)
