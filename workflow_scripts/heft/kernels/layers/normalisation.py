"""What the gradients of a normalisation layer are: short, so they are formed.

y = w x^ + b, so that the gradient of example i by w is the sum over positions of delta x^, and that by b of delta.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from heft.kernels.layers.capture import Captured


def _group_normalised(layer: Any, captured: Captured) -> Tensor:
    return functional.group_norm(captured.input, layer.num_groups, eps=layer.eps)


def _layer_normalised(layer: Any, captured: Captured) -> Tensor:
    return functional.layer_norm(captured.input, layer.normalized_shape, eps=layer.eps)


def _batch_normalised(layer: Any, captured: Captured) -> Tensor:
    mean, variance = captured.buffers["running_mean"], captured.buffers["running_var"]
    return functional.batch_norm(captured.input, mean, variance, eps=layer.eps)


NORMALISED: Mapping[type[nn.Module], Callable[[Any, Captured], Tensor]] = {  # what makes x^
    nn.GroupNorm: _group_normalised,
    nn.LayerNorm: _layer_normalised,
    nn.BatchNorm1d: _batch_normalised,
    nn.BatchNorm2d: _batch_normalised,
    nn.BatchNorm3d: _batch_normalised,
}


def is_normalisation(layer: nn.Module) -> bool:
    """Whether `normalisation_gradients` knows the layer; exact types only, and no statistics of the batch."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None:
        return False
    return type(layer) in NORMALISED


def normalisation_gradients(layer: Any, captured: Captured, delta: Tensor) -> dict[str, Tensor]:
    """The gradient of each example by weight and bias, where the layer has them [b, length of the parameter]."""
    factors = {"weight": delta * NORMALISED[type(layer)](layer, captured), "bias": delta}
    return {key: _summed(layer, factors[key]) for key, _ in layer.named_parameters(recurse=False)}


def _summed(layer: Any, products: Tensor) -> Tensor:
    """Over positions: channels are axis 1, or all the last axes."""
    n_channels = layer.weight.numel()
    if isinstance(layer, nn.LayerNorm):
        return products.reshape(len(products), -1, n_channels).sum(dim=1)
    return products.reshape(len(products), n_channels, -1).sum(dim=2)
