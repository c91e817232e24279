"""Numbers as a caller holds them: tensors or arrays, and labels as whole numbers."""

from typing import Any

import torch
from torch import Tensor

from heft.arguments.on_device import check_has_numbers
from heft.errors import HeftError


def tensor_of(value: Any, what: str) -> Tensor:
    """The tensor of a tensor, an array or nested lists; `what` begins sentences: `train: the input of example 3`.

    Raises HeftError where `value` does not hold numbers.
    """
    check_has_numbers(value, what)
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HeftError(f"{what} is a {type(value).__name__}; expected a tensor or an array of numbers.") from error


def is_whole(tensor: Tensor) -> bool:
    """Whether its type is one of whole numbers; truth values are none."""
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)


def type_and_shape(tensor: Tensor) -> str:
    """`int64 [40]`, for sentences."""
    return f"{type_of(tensor)} {list(tensor.shape)}"


def type_of(tensor: Tensor) -> str:
    """`int64`, for sentences."""
    return str(tensor.dtype).removeprefix("torch.")
