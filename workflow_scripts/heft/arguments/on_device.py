"""Where a caller's model lies, which all else follows; refuses what has no numbers, or lies on several devices."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from heft.errors import HeftError


def check_default_device() -> None:
    """Raises HeftError where torch makes new tensors on another device than the CPU, also those that a method draws."""
    device = torch.get_default_device()
    if device.type != "cpu":
        raise HeftError(
            f"torch's default device is {device}; Heft draws on the cpu and names each other device, so call "
            "torch.set_default_device('cpu')."
        )


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's parameters and buffers; raises HeftError where there are several, or no numbers."""
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    first, device = next(((name, tensor.device) for name, tensor in tensors.items()), ("", torch.device("cpu")))
    for name, tensor in tensors.items():
        if tensor.device != device:
            raise HeftError(f"model: {name} is on {tensor.device} and {first} on {device}; all must be on one device.")
    check_has_numbers(tensors, "model")
    return device


def device_of_inputs(examples: Any) -> torch.device:
    """The device of the inputs in a tuple (inputs, labels); the CPU where these are no tensors."""
    inputs = examples[0] if isinstance(examples, tuple) and examples else None
    return inputs.device if isinstance(inputs, Tensor) else torch.device("cpu")


def check_has_numbers(given: Any, where: str) -> None:
    """Raises HeftError where a tensor is on the device meta: `given` itself, or one in a module, a mapping or a list.

    where: what it is, with which sentences begin.
    """
    if isinstance(given, Tensor) and given.device.type == "meta":
        raise HeftError(f"{where}: a tensor on the device meta holds no numbers.")
    if isinstance(given, nn.Module):
        given = dict([*given.named_parameters(), *given.named_buffers()])
    if isinstance(given, Mapping):
        for name, value in given.items():
            check_has_numbers(value, f"{where}: {name}")
    if isinstance(given, list | tuple):
        for index, value in enumerate(given):
            check_has_numbers(value, f"{where}[{index}]")
