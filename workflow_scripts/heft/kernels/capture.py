"""What goes into each layer and comes out of it in one forward pass."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from heft.kernels.functional import State, evaluation


class Captured(NamedTuple):
    """What went into a layer and came out, and the layer's buffers at that time (the state's, not the module's own)."""

    input: Tensor
    output: Tensor
    buffers: dict[str, Tensor]


@contextmanager
def captured_layers(layers: Iterable[nn.Module]) -> Iterator[dict[nn.Module, Captured]]:
    """Yields a dictionary that is filled as the layers run, each at most once."""
    found: dict[nn.Module, Captured] = {}

    def capture(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer in found:
            raise _RunsTwiceError
        found[layer] = Captured(inputs[0].detach(), output, dict(layer.named_buffers(recurse=False)))

    hooks = [layer.register_forward_hook(capture) for layer in layers]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def layers_run_once(model: nn.Module, state: State, example: Tensor) -> list[nn.Module] | None:
    """The layers that own parameters; None where one shares a parameter with another, or does not run exactly once."""
    layers = [module for module in model.modules() if any(True for _ in module.parameters(recurse=False))]
    owned = [id(parameter) for layer in layers for parameter in layer.parameters(recurse=False)]
    if len(set(owned)) < len(owned):
        return None
    with torch.no_grad(), evaluation(model), captured_layers(layers) as captured:
        try:
            functional_call(model, dict(state), (example,))
        except _RunsTwiceError:
            return None
    return layers if len(captured) == len(layers) else None


class _RunsTwiceError(Exception):
    """A layer was entered a second time in one forward pass."""
