"""Groups as a person has them, such as the patient that an example is of, numbered."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from heft.arguments.given_labels import label_of
from heft.arguments.on_device import check_has_numbers
from heft.errors import HeftError
from heft.phrases import shown


def given_groups(groups: Any, n: int) -> Tensor:
    """The number of each example's group, int64 [n], of whole numbers or words; what is missing is a group of its own.

    Raises HeftError naming the row where an entry is anything else, or there is not one for each label.
    """
    check_has_numbers(groups, "groups")
    groups = groups.detach().cpu() if isinstance(groups, Tensor) else groups
    listed = groups if isinstance(groups, list | tuple) else np.asarray(groups).tolist()
    if not isinstance(listed, list | tuple):
        raise HeftError(f"groups is a {type(groups).__name__}; expected a group for each example.")
    if len(listed) != n:
        raise HeftError(f"groups are {len(listed)} for {n} labels; expected one for each.")
    names: list[Any] = []
    for row, value in enumerate(listed):
        is_missing = value is None or value == "" or value != value
        if (name := label_of(value)) is None and not is_missing:
            raise HeftError(f"groups: row {row} holds {shown(value)}; expected a whole number or a word.")
        names.append((row,) if is_missing else name)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names], dtype=torch.int64)
