"""Random projections P grad l_i of all per-example gradients, P [dimension, D] with entries N(0, 1).

P is drawn some rows at a time and never held whole. Either some rows of it are held while all examples pass by, once
for each part of the rows; or the gradients of some examples, one layer at a time, while all of P passes by, once for
each part of the examples. Both give the same, but for rounding.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from heft.kernels.directional import directional_derivatives
from heft.kernels.functional import Direction, Loss, State, values_of
from heft.kernels.layers.capture import Captured, output_gradient_batches
from heft.kernels.layers.contraction import contractible_layers
from heft.kernels.layers.matrix_gradients import examples_in_budget, parameter_gradients
from heft.kernels.layers.normalisation import normalisation_gradients
from heft.kernels.layers.norms import has_known_gradients
from heft.kernels.layers.parts import layers_owning, names_of
from heft.kernels.layers.rows import is_matrix_layer
from heft.kernels.projection.choice import costs_less_drawn_again, examples_held
from heft.kernels.projection.random_rows import BLOCK, RandomRows, products


def projected_gradients(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, rows: RandomRows, loss: Loss
) -> tuple[Tensor, Tensor]:
    """P grad l_i(state) [n, dimension], and P v [dimension] for v = rows.like."""
    state = values_of(model, state)
    layers = layers_owning(contractible_layers(model, state, inputs[:2]) or {}, rows.like)
    if layers and all(map(has_known_gradients, layers.values())):
        size = examples_held(model, state, inputs, rows)
        if costs_less_drawn_again(model, state, inputs, rows, size):
            batches = zip(inputs.split(size), labels.split(size), strict=True)
            return projected_with_gradients_held(model, state, layers, batches, rows, loss)
    return projected_with_rows_held(model, state, inputs, labels, rows, loss)


def projected_with_rows_held(
    model: nn.Module, state: State, inputs: Tensor, labels: Tensor, rows: RandomRows, loss: Loss
) -> tuple[Tensor, Tensor]:
    """`projected_gradients`, one pass over the examples for each part of P; of any model."""
    of_gradients, of_v, at_once = [], [], rows.n_held
    held = {name: tensor.new_empty(at_once, *tensor.shape) for name, tensor in rows.like.items()}
    for start in range(0, rows.dimension, at_once):
        for block in rows.blocks(start, at_once):
            for name, out in held.items():
                rows.draw(name, block, out[block.start - start :])
        drawn = {name: out[: rows.dimension - start] for name, out in held.items()}
        of_gradients.append(directional_derivatives(model, state, drawn, inputs, labels, loss=loss))
        of_v.append(products(drawn, rows.like))
    return torch.cat(of_gradients).T, torch.cat(of_v)


def projected_with_gradients_held(
    model: nn.Module,
    state: State,
    layers: Mapping[str, nn.Module],
    batches: Iterable[tuple[Tensor, Tensor]],
    rows: RandomRows,
    loss: Loss,
) -> tuple[Tensor, Tensor]:
    """`projected_gradients`, P drawn anew for each of `batches`; layers: all that own parameters, by name."""
    parts = []
    for batch in output_gradient_batches(model, state, layers, batches, loss):
        projected = torch.zeros((), device=next(iter(rows.like.values())).device)
        with torch.no_grad():
            for name, layer in layers.items():
                projected = projected + _layer_products(name, layer, *batch.pop(name), rows)
        parts.append(projected)
    return torch.cat([part[:, :-1] for part in parts], dim=1).T, parts[0][:, -1]


def _layer_products(name: str, layer: nn.Module, captured: Captured, delta: Tensor, rows: RandomRows) -> Tensor:
    """The part of the layer called `name` of P grad l_i, and in a last column of P v: [dimension, b + 1]."""
    own = {full: key for full, key in names_of(name, layer).items() if full in rows.like}
    gradients = _gradients_and(layer, captured, delta, {key: rows.like[full] for full, key in own.items()})
    room = {full: gradients[key].new_empty(BLOCK, *rows.like[full].shape) for full, key in own.items()}
    parts = []
    for block in rows.blocks():
        drawn = {key: rows.draw(full, block, room[full]) for full, key in own.items()}
        parts.append(torch.stack([drawn[key].flatten(1) @ gradients[key].T for key in drawn]).sum(dim=0))
    return torch.cat(parts)


def _gradients_and(layer: nn.Module, captured: Captured, delta: Tensor, v: Direction) -> dict[str, Tensor]:
    """The gradients of all examples by each parameter in v, and in a last row v itself [b + 1, length]."""
    gradients = {key: tensor.new_empty(len(delta) + 1, tensor.numel()) for key, tensor in v.items()}
    form = parameter_gradients if is_matrix_layer(layer) else normalisation_gradients
    size = examples_in_budget(layer, delta) if is_matrix_layer(layer) else len(delta)
    for start in range(0, len(delta), size):
        part = slice(start, min(start + size, len(delta)))
        formed = form(layer, captured._replace(input=captured.input[part]), delta[part])
        for key in v:
            gradients[key][part] = formed[key]
    for key, tensor in v.items():
        gradients[key][-1] = tensor.flatten()
    return gradients
