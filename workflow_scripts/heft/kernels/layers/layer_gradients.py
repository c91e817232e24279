"""All per-example gradients of a layer, batch by batch, for methods that go over them several times."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from heft.kernels.example_gradients import example_gradients
from heft.kernels.functional import Direction, Loss, State, share_memory
from heft.kernels.layers.capture import Captured, batches_of, output_gradient_batches
from heft.kernels.layers.contraction import layer_jvp, layer_vjp
from heft.kernels.layers.matrix_gradients import flat_gradients, has_short_gradients
from heft.kernels.layers.norms import squared_layer_norms
from heft.kernels.layers.rows import is_matrix_layer, layer_matrix, layer_tensors

MOST_KEPT = 64 * 2**20  # bytes that are kept of gradients from one pass to the next, beyond the data itself


@dataclass
class LayerGradients:
    """Gradients g_i of the examples of a batch by one layer, which stands under `has_known_gradients`.

    They are known by what entered the layer and the gradient by its output; short ones (`has_short_gradients`) are
    formed when their lengths are asked for, and used from then on. Directions go by the layer's parameter names.
    """

    layer: nn.Module
    captured: Captured
    delta: Tensor  # [b, ...]
    flat: Tensor | None = None  # [b, d], in the order of `layer_matrix`

    @property
    def n_examples(self) -> int:
        """The number of examples, b."""
        return len(self.delta if self.flat is None else self.flat)

    def squared_lengths(self) -> Tensor:
        """|g_i|^2 [b]."""
        if self.flat is None and is_matrix_layer(self.layer) and has_short_gradients(self.layer, self.delta):
            self.flat = flat_gradients(self.layer, self.captured, self.delta)
        if self.flat is not None:
            return self.flat.square().sum(dim=1)
        return squared_layer_norms(self.layer, self.captured, self.delta)

    def products(self, direction: Direction) -> Tensor:
        """<direction, g_i> [b]."""
        if self.flat is not None:
            return self.flat @ layer_matrix(self.layer, direction).flatten()
        return layer_jvp(self.layer, direction, self.captured, self.delta)

    def weighted_sum(self, weights: Tensor, like: Direction) -> dict[str, Tensor]:
        """sum_i weights_i g_i for weights [b], shaped as `like`."""
        weights = weights.to(self.delta.dtype)
        if self.flat is not None:
            matrix = (weights @ self.flat).view_as(layer_matrix(self.layer, like))
            return layer_tensors(self.layer, matrix)
        each = weights.view(-1, *(1 for _ in self.delta.shape[1:]))
        return layer_vjp(self.layer, like, self.captured, each * self.delta)

    def to_keep(self) -> "LayerGradients":
        """The same without what the gradients were made of, where they are formed, and without the graph."""
        if self.flat is None:
            return replace(self, captured=self.captured._replace(edge=None))
        nothing = self.flat[:0]
        return replace(self, captured=self.captured._replace(edge=None, input=nothing), delta=nothing)

    def n_bytes(self, data: Tensor) -> int:
        """What `to_keep` holds beyond the data: what entered the first layer may be a view of it."""
        held = (self.captured.input, self.delta) if self.flat is None else (self.flat,)
        return sum(tensor.numel() * tensor.element_size() for tensor in held if not share_memory(tensor, data))


@dataclass
class WholeGradients:
    """The same for any module: the gradients themselves [b, ...], by the names of its parameters in the model."""

    tensors: dict[str, Tensor]

    @property
    def n_examples(self) -> int:
        """The number of examples, b."""
        return len(next(iter(self.tensors.values())))

    def squared_lengths(self) -> Tensor:
        """|g_i|^2 [b]."""
        return torch.stack([g.reshape(len(g), -1).square().sum(dim=1) for g in self.tensors.values()]).sum(dim=0)

    def products(self, direction: Direction) -> Tensor:
        """<direction, g_i> [b]."""
        parts = [g.reshape(len(g), -1) @ direction[name].flatten() for name, g in self.tensors.items()]
        return torch.stack(parts).sum(dim=0)

    def weighted_sum(self, weights: Tensor, like: Direction) -> dict[str, Tensor]:
        """sum_i weights_i g_i for weights [b], shaped as `like`."""
        sums = {name: weights.to(g.dtype) @ g.reshape(len(g), -1) for name, g in self.tensors.items()}
        return {name: total.view_as(like[name]) for name, total in sums.items()}

    def to_keep(self) -> "WholeGradients":
        """Itself: it has no graph."""
        return self

    def n_bytes(self, data: Tensor) -> int:
        """What it holds."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())


Gradients = LayerGradients | WholeGradients
Batches = Iterator[dict[str, Gradients]]


class GradientBatches:
    """Goes, as often as it is iterated over, through (rows of the data, gradients by layer) of all examples.

    The first MOST_KEPT bytes of them are kept by the first pass; later ones make the others anew.
    make: the gradients of inputs and labels, batch by batch; of `by_layers` or `by_examples`.
    """

    def __init__(self, make: Callable[[Tensor, Tensor], Batches], inputs: Tensor, labels: Tensor) -> None:
        self._make, self._inputs, self._labels = make, inputs, labels
        self._kept: list[tuple[slice, dict[str, Gradients]]] = []
        self._room = MOST_KEPT

    def __iter__(self) -> Iterator[tuple[slice, dict[str, Gradients]]]:
        yield from self._kept
        start = self._kept[-1][0].stop if self._kept else 0
        if start == len(self._inputs):
            return
        for batch in self._make(self._inputs[start:], self._labels[start:]):
            rows = slice(start, start + next(iter(batch.values())).n_examples)
            start = rows.stop
            yield rows, batch
            self._keep(rows, batch)
            batch.clear()

    def _keep(self, rows: slice, batch: Mapping[str, Gradients]) -> None:
        self._room -= sum(gradients.n_bytes(self._inputs) for gradients in batch.values())
        if self._room >= 0:
            self._kept.append((rows, {name: gradients.to_keep() for name, gradients in batch.items()}))


def by_layers(
    model: nn.Module, state: State, layers: Mapping[str, nn.Module], loss: Loss, inputs: Tensor, labels: Tensor
) -> Batches:
    """Gradients by layers that are among those of `layers_run_once`, each under `has_known_gradients`."""
    batches = batches_of(model, state, inputs, labels)
    for batch in output_gradient_batches(model, state, layers, batches, loss):
        yield {name: LayerGradients(layers[name], captured, delta) for name, (captured, delta) in batch.items()}


def by_examples(
    model: nn.Module, state: State, groups: Mapping[str, Collection[str]], loss: Loss, inputs: Tensor, labels: Tensor
) -> Batches:
    """Gradients of any model, in groups of parameters by their names; many times the cost of `by_layers`."""
    names = [name for group in groups.values() for name in group]
    for gradients in example_gradients(model, state, inputs, labels, loss, names):
        yield {key: WholeGradients({name: gradients[name] for name in group}) for key, group in groups.items()}
