"""Stands in for a GPU where there is none: the `meta` device, on which a tensor that stayed on the CPU is a mistake.

A tensor on `meta` has a shape and a type and no numbers, so that a case takes milliseconds. `MetaDevice` says what a
GPU would say: an operation takes no tensors of two devices, and a generator of the CPU draws for the CPU alone. It sees
no numbers and no memory; what has a shape that depends on numbers (`nonzero`, `unique`, a mask there) cannot run.
"""

import random
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
# What takes tensors of two devices: copies from one to the other, and places that are given on the CPU.
ACROSS_DEVICES = ("copy_", "_to_copy", "index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")


class OtherDeviceError(Exception):
    """A tensor, or a generator, of the CPU met a tensor on another device."""


class MetaDevice(TorchDispatchMode):
    """While it lasts, tensors on `meta` refuse those on the CPU; raises at its end, too, where that was caught.

    What is asked of a tensor's numbers gets an answer, by `seed`, so that other branches run with another one: without
    it all that is asked is true, or 1. That all entries are something (finite, say) is always true. Codes of errors,
    int32, are 0. What comes back to the CPU is 0, 1, 0, 1, ...
    float64: whether the device that `meta` stands for has that type.
    """

    def __init__(self, *, seed: int | None = None, float64: bool = True) -> None:
        super().__init__()
        self._drawn = None if seed is None else random.Random(seed)
        self._float64 = float64
        self._mistakes: list[OtherDeviceError] = []

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        super().__exit__(kind, error, trace)
        if self._mistakes and not isinstance(error, OtherDeviceError):
            raise self._mistakes[0]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        name = func._schema.name.removeprefix("aten::")
        if any(tensor.device == META for tensor in tensors):
            if name == "equal":
                return self._answer(torch.empty((), dtype=torch.bool, device="cpu"))
            if name == "_local_scalar_dense":
                return self._answer(tensors[0])
            if name == "_to_copy" and (kwargs or {}).get("device") == torch.device("cpu"):
                return _numbers(tensors[0], kwargs.get("dtype"))
            self._check(name, tensors, leaves)
            if name.startswith("_fused_"):  # steps of an optimiser, in place, which torch does not have on `meta`
                return None
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            result.made_by = name  # type: ignore[attr-defined]
        if not self._float64 and any(_is_double(leaf) for leaf in tree_leaves(result)):
            self._refuse(f"{name}: the device has no float64")
        return result

    def _answer(self, asked: Tensor) -> bool | int | float:
        drawn = 1.0 if self._drawn is None else self._drawn.random()
        if asked.dtype == torch.bool:
            return getattr(asked, "made_by", "") == "all" or drawn > 0.5
        return drawn if asked.dtype.is_floating_point else int(asked.dtype != torch.int32)

    def _check(self, name: str, tensors: list[Tensor], leaves: list[Any]) -> None:
        anywhere = 0 if name.startswith("_fused_") else 1  # axes of what may stay on the CPU: a number alone
        left = [tensor for tensor in tensors if tensor.device.type == "cpu" and tensor.dim() >= anywhere]
        if left and name not in ACROSS_DEVICES:
            self._refuse(f"{name}: a tensor {list(left[0].shape)} on the CPU meets one on another device")
        if any(isinstance(leaf, torch.Generator) for leaf in leaves):
            self._refuse(f"{name}: a generator of the CPU draws for another device")

    def _refuse(self, sentence: str) -> None:
        self._mistakes.append(OtherDeviceError(sentence))
        raise self._mistakes[-1]


def _is_double(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device == META and value.dtype == torch.float64


def _numbers(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    """0, 1, 0, 1, ... on the CPU in the place of what a device would give back."""
    numbers = torch.arange(tensor.numel(), device="cpu").remainder_(2)
    return numbers.view(tensor.shape).to(dtype or tensor.dtype)


def on_meta(value: Any) -> Any:
    """The value with all its tensors on `meta`: what can be moved itself, or a state, a list or a tuple of such."""
    if hasattr(value, "to"):
        return value.to(META)
    if isinstance(value, Mapping):
        return {key: on_meta(inner) for key, inner in value.items()}
    return type(value)(map(on_meta, value))
