"""All per-example gradients of a layer, batch by batch, for methods that go over them several times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from heft.kernels.capture import Captured, batches_of, output_gradient_batches
from heft.kernels.contraction import moved, pulled
from heft.kernels.functional import Direction, Loss, State, share_memory
from heft.kernels.matrix_gradients import flat_gradients, has_short_gradients
from heft.kernels.norms import squared_layer_norms
from heft.kernels.rows import is_matrix_layer, layer_matrix, layer_tensors

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
        return moved(self.layer, direction, self.captured, self.delta)

    def weighted_sum(self, weights: Tensor, like: Direction) -> dict[str, Tensor]:
        """sum_i weights_i g_i for weights [b], shaped as `like`."""
        weights = weights.to(self.delta.dtype)
        if self.flat is not None:
            matrix = (weights @ self.flat).view_as(layer_matrix(self.layer, like))
            return layer_tensors(self.layer, matrix)
        each = weights.view(-1, *(1 for _ in self.delta.shape[1:]))
        return pulled(self.layer, like, self.captured, each * self.delta)

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


class GradientBatches:
    """Goes, as often as it is iterated over, through (rows of the data, gradients by layer) of all examples.

    The first MOST_KEPT bytes of them are kept by the first pass; later ones make the others anew.
    layers: among those of `layers_run_once`, each under `has_known_gradients`.
    """

    def __init__(
        self,
        model: nn.Module,
        state: State,
        layers: Mapping[str, nn.Module],
        inputs: Tensor,
        labels: Tensor,
        loss: Loss,
    ) -> None:
        self._model, self._state, self._layers, self._loss = model, state, layers, loss
        self._inputs, self._labels = inputs, labels
        self._kept: list[tuple[slice, dict[str, LayerGradients]]] = []
        self._room = MOST_KEPT

    def __iter__(self) -> Iterator[tuple[slice, dict[str, LayerGradients]]]:
        yield from self._kept
        start = self._kept[-1][0].stop if self._kept else 0
        if start == len(self._inputs):
            return
        batches = batches_of(self._model, self._state, self._inputs[start:], self._labels[start:])
        for captured in output_gradient_batches(self._model, self._state, self._layers, batches, self._loss):
            batch = {name: LayerGradients(self._layers[name], *one) for name, one in captured.items()}
            rows = slice(start, start + len(next(iter(batch.values())).delta))
            start = rows.stop
            yield rows, batch
            self._keep(rows, batch)
            batch.clear()

    def _keep(self, rows: slice, batch: Mapping[str, LayerGradients]) -> None:
        self._room -= sum(gradients.n_bytes(self._inputs) for gradients in batch.values())
        if self._room >= 0:
            self._kept.append((rows, {name: gradients.to_keep() for name, gradients in batch.items()}))
