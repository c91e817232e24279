"""Finds the layer at which two forward passes of a model part, or at which one fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn

Same = Callable[[Tensor, Tensor], bool]
Part = Callable[[Tensor], Tensor]


class Passed(NamedTuple):
    """A layer that ran: its name, itself, and the tensors that went in and came out."""

    name: str
    layer: nn.Module
    given: list[Tensor]
    returned: list[Tensor]


def label_of(name: str, layer: nn.Module) -> str:
    """`layer 2.attend (MultiheadAttention)`; for the whole model `its own forward (Net)`."""
    kind = type(layer).__name__
    return f"layer {name} ({kind})" if name else f"its own forward ({kind})"


@contextmanager
def layers_recorded(model: nn.Module) -> Iterator[list[Passed]]:
    """The layers that run in the block, in the order in which they end, so that an inner one is before an outer."""
    passed: list[Passed] = []
    hooks = []
    for name, module in model.named_modules():

        def record(layer: nn.Module, given: Any, returned: Any, name: str = name) -> None:
            passed.append(Passed(name, layer, _tensors(given), _tensors(returned)))

        hooks.append(module.register_forward_hook(record))
    try:
        yield passed
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def running_layers(model: nn.Module) -> Iterator[list[tuple[str, nn.Module]]]:
    """The layers that have been entered and not left: after an error, the innermost is the last."""
    running: list[tuple[str, nn.Module]] = []
    hooks = []
    for name, module in model.named_modules():

        def enter(layer: nn.Module, _given: Any, name: str = name) -> None:
            running.append((name, layer))

        def leave(*_: Any) -> None:
            running.pop()

        hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield running
    finally:
        for hook in hooks:
            hook.remove()


def first_that_parts(left: list[Passed], right: list[Passed], same: Same, part: Part) -> Passed | None:
    """The first layer that got the same in both passes and returned something else.

    part: what of a tensor of `left` stands in `right`. None where the passes do not run the same layers.
    """
    for passed, other in zip(left, right, strict=False):
        if passed.name != other.name:
            return None
        agree = _agree(passed.given, other.given, same, part)
        if agree and not _agree(passed.returned, other.returned, same, part):
            return passed
    return None


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value.detach().clone()]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return [tensor for entry in value for tensor in _tensors(entry)]
    return []


def _agree(left: list[Tensor], right: list[Tensor], same: Same, part: Part) -> bool:
    if len(left) != len(right):
        return False
    parts = [(part(tensor), other) for tensor, other in zip(left, right, strict=True)]
    return all(tensor.shape == other.shape and same(tensor, other) for tensor, other in parts)
