"""What goes into each layer, and where its output stands in the graph, in one forward pass."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from heft.errors import HeftError
from heft.kernels.calling import call, while_holding
from heft.kernels.functional import LARGE_BATCH, Loss, State, batch_size_for, evaluation, values_of
from heft.kernels.layers.parts import described, whole_of
from heft.kernels.layers.uses import Uses
from heft.kernels.once import once_a_model
from heft.kernels.selection import moved_parameters


class Captured(NamedTuple):
    """What went into a layer, and the layer's buffers at that time (the state's, not the module's own).

    edge: where the output stands in the graph, before anything changes it in place; None where there is no graph.
    rows: length of the output. zero: 0 in the output's shape, without memory of its own.
    """

    input: Tensor
    edge: GradientEdge | None
    buffers: dict[str, Tensor]
    rows: int
    zero: Tensor | None = None


@contextmanager
def captured_layers(layers: Iterable[nn.Module]) -> Iterator[dict[nn.Module, Captured]]:
    """Yields a dictionary that is filled as the layers run, each at most once."""
    captured: dict[nn.Module, Captured] = {}

    def capture(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer in captured:
            raise _NotOneByOneError(layer, "runs more than once")
        if len(inputs) != 1 or not isinstance(inputs[0], Tensor) or not isinstance(output, Tensor):
            raise _NotOneByOneError(layer, "is not called with one tensor alone, for one")
        edge = get_gradient_edge(output) if output.requires_grad else None
        buffers = dict(layer.named_buffers(recurse=False))
        zero = output.detach().new_zeros(()).expand(output.shape)
        captured[layer] = Captured(inputs[0].detach(), edge, buffers, len(output), zero)

    hooks = [layer.register_forward_hook(capture) for layer in layers]
    try:
        yield captured
    finally:
        for hook in hooks:
            hook.remove()


def output_gradient_batches(
    model: nn.Module,
    state: State,
    layers: Mapping[str, nn.Module],
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
) -> Iterator[dict[str, tuple[Captured, Tensor]]]:
    """For each batch of (inputs, labels), of each layer what entered it and the gradient of the summed loss by its
    output [b, ...]; layers: among those of `layers_run_once`, or parts of them. A dictionary is emptied before the next
    one is made, so that two batches are never held."""
    values = values_of(model, state)
    for name, parameter in model.named_parameters():
        values[name].requires_grad_(parameter.requires_grad)
    for inputs, labels in batches:
        batch = _with_output_gradients(model, values, layers, inputs, labels, loss)
        yield batch
        batch.clear()


def _with_output_gradients(
    model: nn.Module, values: State, layers: Mapping[str, nn.Module], inputs: Tensor, labels: Tensor, loss: Loss
) -> dict[str, tuple[Captured, Tensor]]:
    whole = [whole_of(layer) for layer in layers.values()]

    def run(held: nn.Module) -> dict[str, tuple[Captured, Tensor]]:
        with captured_layers(whole) as captured:  # not around the backward pass, where checkpointing runs layers again
            total = loss(held(inputs), labels).sum()
        deltas = _output_gradients(total, [captured[layer] for layer in whole])
        return {name: (captured[layer], delta) for name, layer, delta in zip(layers, whole, deltas, strict=True)}

    with torch.enable_grad(), evaluation(model):
        return while_holding(model, values, run)


def _output_gradients(total: Tensor, captured: Sequence[Captured]) -> Iterator[Tensor]:
    """Gradient of `total` by the output of each layer; the backward pass forms no gradient of a weight. Zeros where no
    gradient reaches the output."""
    edges = [entry.edge for entry in captured if entry.edge is not None]
    gradients = iter(torch.autograd.grad(total, edges, allow_unused=True) if edges and total.requires_grad else ())
    for entry in captured:
        gradient = None if entry.edge is None else next(gradients, None)
        yield cast(Tensor, entry.zero).contiguous() if gradient is None else gradient


def batches_of(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, batch_size: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and labels in batches of `batch_size`, by default of what `batch_size_for` gives, and at most LARGE_BATCH:
    what enters each layer is held with its output's gradient, and so much is done with them that calls cost nothing."""
    size = batch_size or min(LARGE_BATCH, batch_size_for(model, state, inputs, tangents=1))
    return zip(inputs.split(size), labels.split(size), strict=True)


def layers_run_once(
    model: nn.Module, state: State, examples: Tensor, names: Collection[str] | None = None
) -> dict[str, nn.Module] | None:
    """The layers that own parameters which training moves, by name, in a model where each such parameter is a weight or
    a bias, used once, by its layer, on rows of which each is an example; None for any other model.

    examples: inputs to find that out with; one is enough, a second makes sure of the rows.
    names: of the parameters that are looked at; None: all that training moves.
    """
    try:
        return checked_layers(model, state, examples, names)
    except LayersError:
        return None


class LayersError(HeftError):
    """A model whose gradients are not known layer by layer; says which layer is the obstacle, and why."""


def checked_layers(
    model: nn.Module, state: State, examples: Tensor, names: Collection[str] | None = None
) -> dict[str, nn.Module]:
    """The layers of `layers_run_once`, found once a model.

    Raises LayersError naming the layer that is the obstacle, and why.
    """
    moved = set(moved_parameters(model, state, examples))
    if names is not None:
        moved &= set(names)
    answer = once_a_model(
        model, f"layers of {sorted(moved)}", lambda: _names_or_obstacle(model, values_of(model, state), examples, moved)
    )
    if isinstance(answer, str):
        raise LayersError(answer)
    layers = {name: model.get_submodule(name) for name in answer}
    for name, module in layers.items():
        if module._forward_hooks:
            raise LayersError(f"hooks stand at layer {described(name, module)}")
    return layers


def _names_or_obstacle(model: nn.Module, values: State, examples: Tensor, moved: Collection[str]) -> list[str] | str:
    name_of = {id(tensor): name for name, tensor in model.named_parameters()}
    layers: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        own = {key: name_of[id(tensor)] for key, tensor in module.named_parameters(recurse=False)}
        if not set(moved) & set(own.values()):
            continue
        layers[name] = module
        if others := [key for key in own if key not in ("weight", "bias")]:
            return f"layer {described(name, module)} owns {others[0]}, which is neither a weight nor a bias"
    for n_examples in {1, min(2, len(examples))}:
        uses = Uses({name: values[name] for name in moved})
        with torch.no_grad(), evaluation(model), captured_layers(layers.values()) as captured, uses:
            try:
                call(model, values, examples[:n_examples])
            except _NotOneByOneError as error:
                name = next(name for name, module in layers.items() if module is error.layer)
                return f"layer {described(name, error.layer)} {error.why}"
        for name, module in layers.items():
            if module not in captured:
                return f"layer {described(name, module)} is not called, though its parameters are used"
            if captured[module].rows != n_examples:
                return f"layer {described(name, module)} does not take one row an example"
        if elsewhere := [name for name, count in uses.counts.items() if count != 1]:
            return f"parameter {elsewhere[0]} is used {uses.counts[elsewhere[0]]} times"
    return list(layers)


class _NotOneByOneError(Exception):
    """A layer was entered a second time in one forward pass, or maps more than one tensor to one."""

    def __init__(self, layer: nn.Module, why: str) -> None:
        super().__init__(why)
        self.layer, self.why = layer, why
