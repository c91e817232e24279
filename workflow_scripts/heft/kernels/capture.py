"""What goes into each layer, and where its output stands in the graph, in one forward pass."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.func import functional_call
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from heft.kernels.functional import LARGE_BATCH, Loss, State, batch_size_for, buffers_of, evaluation, parameters_of


class Captured(NamedTuple):
    """What went into a layer, and the layer's buffers at that time (the state's, not the module's own).

    edge: where the output stands in the graph, before anything changes it in place; None where there is no graph.
    rows: length of the output.
    """

    input: Tensor
    edge: GradientEdge | None
    buffers: dict[str, Tensor]
    rows: int


@contextmanager
def captured_layers(layers: Iterable[nn.Module]) -> Iterator[dict[nn.Module, Captured]]:
    """Yields a dictionary that is filled as the layers run, each at most once."""
    found: dict[nn.Module, Captured] = {}

    def capture(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer in found or len(inputs) != 1 or not isinstance(output, Tensor):
            raise _NotOneByOneError
        edge = get_gradient_edge(output) if output.requires_grad else None
        buffers = dict(layer.named_buffers(recurse=False))
        found[layer] = Captured(inputs[0].detach(), edge, buffers, len(output))

    hooks = [layer.register_forward_hook(capture) for layer in layers]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def output_gradients(
    total: Tensor, layers: Iterable[nn.Module], captured: Mapping[nn.Module, Captured]
) -> tuple[Tensor, ...]:
    """Gradients of `total` by the output of each layer; the backward pass forms no gradient of a weight."""
    edges = [edge for layer in layers if (edge := captured[layer].edge) is not None]
    return torch.autograd.grad(total, edges)


def output_gradient_batches(
    model: nn.Module,
    state: State,
    layers: Mapping[str, nn.Module],
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
) -> Iterator[dict[str, tuple[Captured, Tensor]]]:
    """For each batch of (inputs, labels), of each layer what entered it and the gradient of the summed loss by its
    output [b, ...]; layers: among those of `layers_run_once`. A dictionary is emptied before the next one is made, so
    that two batches are never held."""
    parameters, buffers = parameters_of(model, state), buffers_of(model, state)
    everything = {**{name: tensor.requires_grad_() for name, tensor in parameters.items()}, **buffers}
    for inputs, labels in batches:
        batch = _with_output_gradients(model, everything, layers, inputs, labels, loss)
        yield batch
        batch.clear()


def _with_output_gradients(
    model: nn.Module, state: State, layers: Mapping[str, nn.Module], inputs: Tensor, labels: Tensor, loss: Loss
) -> dict[str, tuple[Captured, Tensor]]:
    with torch.enable_grad(), evaluation(model), captured_layers(layers.values()) as captured:
        total = loss(functional_call(model, dict(state), (inputs,)), labels).sum()
        deltas = output_gradients(total, layers.values(), captured)
    return {name: (captured[layer], delta) for (name, layer), delta in zip(layers.items(), deltas, strict=True)}


def batches_of(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, batch_size: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and labels in batches of `batch_size`, by default of what `batch_size_for` gives, and at most LARGE_BATCH:
    what enters each layer is held with its output's gradient, and so much is done with them that calls cost nothing."""
    size = batch_size or min(LARGE_BATCH, batch_size_for(model, state, inputs, tangents=1))
    return zip(inputs.split(size), labels.split(size), strict=True)


def layers_run_once(model: nn.Module, state: State, examples: Tensor) -> dict[str, nn.Module] | None:
    """The layers that own parameters, by name, in a model where each parameter is a weight or a bias, used once, by its
    layer, on rows of which each is an example; None for any other model.

    examples: inputs to find that out with; one is enough, a second makes sure of the rows.
    """
    layers = {
        name: module for name, module in model.named_modules() if any(True for _ in module.parameters(recurse=False))
    }
    if any(layer._forward_hooks or _names(layer) - {"weight", "bias"} for layer in layers.values()):
        return None  # something changes the layer's output, or makes its weight from other parameters
    for n_examples in {1, min(2, len(examples))}:
        uses = _Uses(state[name] for name, _ in model.named_parameters(remove_duplicate=False))
        with torch.no_grad(), evaluation(model), captured_layers(layers.values()) as captured, uses:
            try:
                functional_call(model, dict(state), (examples[:n_examples],))
            except _NotOneByOneError:
                return None
        rows = {one.rows for one in captured.values()}
        if len(captured) < len(layers) or rows != {n_examples} or set(uses.counts.values()) != {1}:
            return None
    return layers


def _names(layer: nn.Module) -> set[str]:
    return {name for name, _ in layer.named_parameters(recurse=False)}


class _Uses(TorchFunctionMode):
    """Counts how often each tensor is an argument of a function."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self.counts = {id(tensor): 0 for tensor in tensors}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if id(leaf) in self.counts:
                self.counts[id(leaf)] += 1
        return func(*args, **(kwargs or {}))


class _NotOneByOneError(Exception):
    """A layer was entered a second time in one forward pass, or maps more than one tensor to one."""
