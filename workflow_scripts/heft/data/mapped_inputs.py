"""Inputs of a split that stay in their file, for splits that do not fit into memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heft.data.inputs import InputsFile
from heft.data.modalities.declare import Modality
from heft.devices import CPU

AT_ONCE = 1024  # rows that are read where some are chosen; more stay in the file


class MappedInputs(Tensor):
    """A tensor [n, ...] of the rows of a file as a model is called with them, each read when it is asked for.

    Some rows of it are a plain tensor; more than `AT_ONCE` of them, or all on another device, are mapped again. `split`
    reads piece by piece. Whatever else is done with it reads all rows first.
    """

    _file: InputsFile
    _rows: np.ndarray
    _modality: Modality

    @staticmethod
    def __new__(
        cls: type["MappedInputs"],
        file: InputsFile,
        rows: np.ndarray,
        modality: Modality,
        device: torch.device = CPU,
    ) -> "MappedInputs":
        """rows [n]: those of the file, in order."""
        row = modality.batch(torch.from_numpy(file.verified(rows[:1])[rows[:1]]))
        mapped = Tensor._make_wrapper_subclass(cls, (len(rows), *row.shape[1:]), dtype=row.dtype, device=device)
        mapped._file, mapped._rows, mapped._modality = file, rows, modality
        return cast("MappedInputs", mapped)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name, given = getattr(func, "__name__", ""), kwargs or {}
        own = _OWN.get(name)
        with torch._C.DisableTorchFunctionSubclass():
            if own is not None and isinstance(args[0], MappedInputs):
                return own(*args, **given)
            if name in _OF_SHAPE:
                return func(*args, **given)
        return func(*tree_map(_read, tuple(args)), **tree_map(_read, dict(given)))

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return func(*tree_map(_read, tuple(args)), **tree_map(_read, dict(kwargs or {})))

    def read(self, places: Any = slice(None)) -> Tensor:
        """The rows at some places, a slice or numbers of any shape, as a tensor on the device."""
        rows = self._rows[places]
        read = self._file.verified(np.ravel(rows))[np.ravel(rows)]
        batch = self._modality.batch(torch.from_numpy(read)).to(self.device)
        return batch.reshape(*np.shape(rows), *batch.shape[1:])

    def _taken(self, index: Any) -> Tensor:
        if not isinstance(index, slice | int | Tensor):
            return self.read()[index]
        places = index.cpu().numpy() if isinstance(index, Tensor) else index
        rows = self._rows[places]
        if np.ndim(rows) == 1 and len(rows) > AT_ONCE:
            return MappedInputs(self._file, rows, self._modality, self.device)
        return self.read(places)

    def _pieces(self, size: int, dim: int = 0) -> Iterator[Tensor] | Sequence[Tensor]:
        if dim:
            return self.read().split(size, dim)
        return (self.read(slice(first, first + size)) for first in range(0, len(self._rows), size))

    def _moved(self, device: Any, *others: Any, **keywords: Any) -> Tensor:
        if others or keywords or not isinstance(device, torch.device | str):
            return self.read().to(device, *others, **keywords)
        return MappedInputs(self._file, self._rows, self._modality, torch.device(device))

    def _alike(self, values: Any, **keywords: Any) -> Tensor:
        return torch.empty(0, dtype=self.dtype, device=self.device).new_tensor(values, **keywords)


def _read(value: Any) -> Any:
    return value.read() if isinstance(value, MappedInputs) else value


_OWN: dict[str, Callable[..., Any]] = {
    "__getitem__": MappedInputs._taken,
    "split": MappedInputs._pieces,
    "to": MappedInputs._moved,
    "cpu": lambda inputs: inputs._moved(CPU),
    "detach": lambda inputs: inputs,
    "new_tensor": MappedInputs._alike,
    "untyped_storage": lambda inputs: torch.empty(0).untyped_storage(),  # it shares its memory with no other tensor
}
# What a tensor knows without its values.
_OF_SHAPE = {"__get__", "__len__", "dim", "element_size", "get_device", "is_floating_point", "numel", "size"}
