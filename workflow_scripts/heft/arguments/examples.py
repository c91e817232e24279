"""Labelled examples as a caller holds them: tensors or arrays, a data set, or a data loader that keeps its order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from heft.arguments.tensors import is_whole, tensor_of, type_of
from heft.devices import CPU
from heft.errors import HeftError
from heft.kernels.batch import Batch

PAIRS = "pairs (inputs, labels)"


def labelled_examples(given: Any, argument: str, device: torch.device = CPU) -> Batch:
    """Inputs [n, ...] and labels int64 [n], in the order of `given`, which is read once and held on the device.

    given: `(inputs, labels)` of tensors or arrays, with groups as a third where there are any; a `Dataset` of pairs; or
    a `DataLoader` over one. argument: its name, with which sentences begin. Raises HeftError where the order is drawn
    anew in each epoch, inputs and labels do not belong together, or a number is not finite.
    """
    groups = None
    if isinstance(given, DataLoader):
        batches = list(_batches(given, argument))
        inputs, labels = (_joined(parts, argument) for parts in zip(*batches, strict=True))
    elif isinstance(given, tuple):
        pair, rest = (given[:2], given[2:]) if len(given) == 3 else (given, ())
        inputs, labels = _pair(pair, argument, "the tuple")
        groups = tensor_of(rest[0], f"{argument}: the groups of the tuple") if rest else None
    elif hasattr(given, "__getitem__") and hasattr(given, "__len__") and not isinstance(given, Mapping):
        _check_number(len(given), argument)
        examples = [_pair(given[row], argument, f"example {row}") for row in range(len(given))]
        inputs, labels = (_stacked(parts, argument) for parts in zip(*examples, strict=True))
    else:
        raise HeftError(
            f"{argument} is a {type(given).__name__}; expected a tuple (inputs, labels), a Dataset or a DataLoader."
        )
    _check(inputs, labels, argument)
    if groups is not None and groups.shape != labels.shape:
        raise HeftError(f"{argument}: groups have shape {list(groups.shape)}; expected {list(labels.shape)}.")
    return Batch(inputs.detach(), labels.detach().long(), groups).to(device)


def check_labels(labels: Tensor, n_classes: int, argument: str) -> None:
    """Raises HeftError where a label is not in 0..n_classes - 1."""
    outside = ((labels < 0) | (labels >= n_classes)).nonzero()
    if len(outside):
        row = int(outside[0])
        raise HeftError(
            f"{argument}: row {row} has the label {int(labels[row])}; the model's {n_classes} logits stand for the "
            f"labels 0 to {n_classes - 1}."
        )


def _batches(loader: "DataLoader[Any]", argument: str) -> Iterator[tuple[Tensor, Tensor]]:
    sampler = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    if type(sampler) is BatchSampler:
        sampler = sampler.sampler
    ordered = isinstance(sampler, SequentialSampler) or isinstance(loader.dataset, torch.utils.data.IterableDataset)
    if not ordered:
        raise HeftError(
            f"{argument} is a DataLoader whose order is that of a {type(sampler).__name__}; scores come in the order "
            "of the data set, so pass one with shuffle=False and no sampler of its own."
        )
    n = 0
    for number, batch in enumerate(loader):
        inputs, labels = _pair(batch, argument, f"batch {number}")
        if loader.batch_size is None:  # it gives examples one by one
            inputs, labels = inputs[None], labels.reshape(1)
        n += len(inputs)
        yield inputs, labels
    _check_number(n, argument)
    if not isinstance(loader.dataset, torch.utils.data.IterableDataset) and n != len(loader.dataset):  # type: ignore[arg-type]
        raise HeftError(
            f"{argument} is a DataLoader that gives {n} of {len(loader.dataset)} examples; pass one with "  # type: ignore[arg-type]
            "drop_last=False."
        )


def _pair(given: Any, argument: str, what: str) -> tuple[Tensor, Tensor]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        kind = f"{len(given)} things" if isinstance(given, tuple | list) else f"a {type(given).__name__}"
        raise HeftError(f"{argument}: {what} is {kind}; expected {PAIRS}.")
    inputs, labels = given
    return tensor_of(inputs, f"{argument}: the input of {what}"), tensor_of(labels, f"{argument}: the label of {what}")


def _joined(parts: Sequence[Tensor], argument: str) -> Tensor:
    _check_shapes([part[0] for part in parts if len(part)], argument)
    return torch.cat(list(parts))


def _stacked(parts: Sequence[Tensor], argument: str) -> Tensor:
    _check_shapes(parts, argument)
    return torch.stack(list(parts))


def _check_shapes(parts: Sequence[Tensor], argument: str) -> None:
    for part in parts:
        if part.shape != parts[0].shape:
            shapes = f"one example has shape {list(part.shape)}, the first {list(parts[0].shape)}"
            raise HeftError(f"{argument}: {shapes}; all must have one shape.")
        if part.device != parts[0].device:
            devices = f"one example is on {part.device}, the first on {parts[0].device}"
            raise HeftError(f"{argument}: {devices}; all must be on one device.")


def _check_number(n: int, argument: str) -> None:
    if n == 0:
        raise HeftError(f"{argument} holds no example.")


def _check(inputs: Tensor, labels: Tensor, argument: str) -> None:
    if labels.dim() != 1 or inputs.dim() < 1 or len(inputs) != len(labels):
        raise HeftError(
            f"{argument}: inputs have shape {list(inputs.shape)} and labels {list(labels.shape)}; expected [n, ...] "
            "and [n]."
        )
    _check_number(len(labels), argument)
    if not is_whole(labels):
        raise HeftError(f"{argument}: labels are of type {type_of(labels)}; expected whole numbers, such as int64.")
    if inputs.is_floating_point() and not bool(inputs.isfinite().all()):
        row = int((~inputs.isfinite()).flatten(1).any(dim=1).nonzero()[0]) if inputs.dim() > 1 else 0
        raise HeftError(f"{argument}: the input of row {row} holds a number that is not finite.")
