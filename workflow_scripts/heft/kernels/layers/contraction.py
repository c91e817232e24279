"""Directional derivatives layer by layer, for models whose layers are linear in their own parameters.

    <d, grad l_i> = sum over layers of <dl_i/doutput_i, layer(input_i; d)>

since such a layer's output moves by layer(input; d) when its parameters move along d. One forward pass and one backward
pass that stops at the layers' outputs serve all directions; each direction then costs one more forward pass through the
layers, and no activation is held for a direction. Where the gradient of one example by a layer's weight is cheaper to
form, which it is for many directions and in layers that normalise, it is formed instead, and a direction costs a
product; a small layer that maps rows alone takes all directions in one product.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.grad import conv2d_weight

from heft.kernels.functional import Direction, Loss, State
from heft.kernels.layers.capture import Captured, layers_run_once, output_gradient_batches
from heft.kernels.layers.matrix_gradients import inner_products
from heft.kernels.layers.normalisation import is_normalisation, normalisation_gradients
from heft.kernels.layers.parts import BiasAlone, is_linear_in_parameters, layers_owning, names_of
from heft.kernels.layers.rows import is_matrix_layer, layer_matrices, n_positions

SMALL = 2**14  # weights of a layer, up to which a call for each direction costs more than its arithmetic


def contractible_layers(model: nn.Module, state: State, examples: Tensor) -> dict[str, nn.Module] | None:
    """The layers of `layers_run_once` where all are linear in their parameters; else None."""
    layers = layers_run_once(model, state, examples)
    if layers is None or not all(map(is_linear_in_parameters, layers.values())):
        return None
    return layers


def contracted_derivatives(
    model: nn.Module,
    state: State,
    layers: Mapping[str, nn.Module],
    directions: Direction,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
) -> Iterator[Tensor]:
    """For each batch of (inputs, labels) <d_k, grad l_i>: [k, b]; layers: those of `contractible_layers`.

    directions: tensors [k, ...]. A layer whose parameters are in none is left out.
    """
    layers = layers_owning(layers, directions)
    own = {
        name: {key: directions[full] for full, key in names_of(name, layer).items()} for name, layer in layers.items()
    }
    matrices: dict[str, Tensor] = {}
    for batch in output_gradient_batches(model, state, layers, batches, loss):
        scores = torch.zeros((), device=next(iter(directions.values())).device)
        with torch.no_grad():
            for name, (captured, delta) in batch.items():
                scores = scores + _products(name, layers[name], own[name], matrices, captured, delta)
        yield scores


def _products(
    name: str, layer: nn.Module, own: Direction, matrices: dict[str, Tensor], captured: Captured, delta: Tensor
) -> Tensor:
    """The part of the layer called `name` [k, b]; own: its directions; matrices: the same of layers met before."""
    if is_normalisation(layer):
        gradients = normalisation_gradients(layer, captured, delta)
        return torch.stack([own[key].flatten(1) @ gradient.T for key, gradient in gradients.items()]).sum(dim=0)
    n_directions = len(next(iter(own.values())))
    if not takes_all_at_once(layer, delta, n_directions):
        directions = ({key: stacked[k] for key, stacked in own.items()} for k in range(n_directions))
        return torch.stack([layer_jvp(layer, direction, captured, delta) for direction in directions])
    if name not in matrices:
        matrices[name] = layer_matrices(layer, own)
    return inner_products(layer, captured, delta, matrices[name])


def takes_all_at_once(layer: Any, delta: Tensor, n_directions: int) -> bool:
    """Whether `inner_products` costs less than a call for each direction: at one position where the layer is small, at
    several where a gradient of one example is smaller than its rows, or where there are many directions: to move the
    layer costs as much for each as to form the gradient, and a product with that costs one position's share."""
    if not is_matrix_layer(layer):
        return False
    weight, positions = layer.weight, n_positions(layer, delta)
    if positions == 1:
        return weight.numel() <= SMALL
    shorter = weight.numel() <= positions * (len(weight) + weight[0].numel())
    return shorter or n_directions * positions > 4 * (n_directions + positions)


class _Bare(nn.Module):
    """A layer without its hooks, whose changes of the input have been captured already."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, inputs: Tensor) -> Tensor:
        """What the layer itself makes of its input."""
        output: Tensor = self.layer.forward(inputs)
        return output


def layer_jvp(layer: nn.Module, direction: Direction, captured: Captured, delta: Tensor) -> Tensor:
    """<delta_i, layer(input_i; direction)> [b]: the layer's part of <d, grad l_i>."""
    if isinstance(layer, BiasAlone):
        return layer.summed(delta) @ direction["bias"].flatten()
    values = {f"layer.{key}": tensor for key, tensor in {**direction, **captured.buffers}.items()}
    output = functional_call(_Bare(layer), values, (captured.input,))
    return torch.linalg.vecdot(delta.flatten(1), output.flatten(1))


def layer_vjp(layer: nn.Module, parameters: Direction, captured: Captured, cotangents: Tensor) -> dict[str, Tensor]:
    """sum_i of the layer's gradients for output gradients `cotangents` [b, ...], by the layer's parameter names."""
    if isinstance(layer, BiasAlone):
        return {"bias": layer.summed(cotangents).sum(dim=0).view_as(layer.bias)}
    if type(layer) is nn.Linear and cotangents.dim() == 2:
        gradients = {"weight": cotangents.T @ captured.input, "bias": cotangents.sum(dim=0)}
        return {key: gradients[key] for key in parameters}
    if type(layer) is nn.Conv2d and is_matrix_layer(layer):
        how = (layer.stride, layer.padding, layer.dilation, layer.groups)
        weight = conv2d_weight(captured.input, layer.weight.shape, cotangents, *how)
        return {key: weight if key == "weight" else cotangents.sum(dim=(0, 2, 3)) for key in parameters}
    leaves = {key: tensor.detach().requires_grad_() for key, tensor in parameters.items()}
    values = {f"layer.{key}": tensor for key, tensor in {**leaves, **captured.buffers}.items()}
    with torch.enable_grad():
        output = functional_call(_Bare(layer), values, (captured.input,))
        return dict(zip(leaves, torch.autograd.grad(output, list(leaves.values()), cotangents), strict=True))
