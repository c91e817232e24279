"""How often the functions of a forward pass take each of some tensors."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves


class Uses(TorchFunctionMode):
    """Counts how often each tensor is an argument of a function."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._names = {id(tensor): name for name, tensor in tensors.items()}
        self.counts = dict.fromkeys(tensors, 0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if (name := self._names.get(id(leaf))) is not None:
                self.counts[name] += 1
        return func(*args, **(kwargs or {}))
