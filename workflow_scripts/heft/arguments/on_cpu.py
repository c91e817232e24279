"""Refuses what a caller holds on another device than the CPU, where all of Heft computes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from heft.errors import HeftError


def check_default_device() -> None:
    """Raises HeftError where torch makes new tensors on another device, also those that a method makes."""
    device = torch.get_default_device()
    if device.type != "cpu":
        raise HeftError(
            f"torch's default device is {device}; Heft computes on the cpu, so call torch.set_default_device('cpu')."
        )


def check_on_cpu(given: Any, where: str) -> None:
    """Raises HeftError where a tensor is elsewhere: `given` itself, or one in a module, a mapping, a list or a tuple.

    where: what it is, with which sentences begin.
    """
    if isinstance(given, Tensor) and given.device.type != "cpu":
        raise HeftError(f"{where} must be on the cpu, where all of Heft computes, not on {given.device}.")
    if isinstance(given, nn.Module):
        given = dict([*given.named_parameters(), *given.named_buffers()])
    if isinstance(given, Mapping):
        for name, value in given.items():
            check_on_cpu(value, f"{where}: {name}")
    if isinstance(given, list | tuple):
        for index, value in enumerate(given):
            check_on_cpu(value, f"{where}[{index}]")
