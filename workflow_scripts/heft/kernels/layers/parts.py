"""A layer as training sees it: without the weight or the bias that does not move."""

import copy
from collections.abc import Collection, Iterable, Mapping

from torch import Tensor, nn

# Their output is linear in weight and bias together. Exact types only: a subclass may compute something else.
LINEAR_IN_PARAMETERS = frozenset(
    {
        *(nn.Linear, nn.Embedding, nn.GroupNorm, nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
        *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    }
)


def is_linear_in_parameters(layer: nn.Module) -> bool:
    """Whether the layer's output is linear in its parameters, and its gradient that of a linear function: a row of an
    embedding that stands for padding has none, nor has one that is scaled by how often it occurs."""
    if isinstance(layer, nn.Embedding):
        settings = (layer.padding_idx, layer.max_norm)
        return type(layer) is nn.Embedding and settings == (None, None) and not layer.scale_grad_by_freq
    return type(layer) in LINEAR_IN_PARAMETERS


class BiasAlone(nn.Module):
    """A layer of which the bias alone moves: a matrix [out, 0] beside the bias, whose rows are ones."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        bias = layer.get_parameter("bias")
        self.bias = nn.Parameter(bias.detach(), requires_grad=False)
        self.weight = bias.detach().new_empty(bias.numel(), 0)
        self._last = isinstance(layer, nn.Linear | nn.LayerNorm)

    def positions_last(self, delta: Tensor) -> Tensor:
        """The gradient by the layer's output [b, ...] as [b, positions, out]: channels are axis 1, or the last axes."""
        n_out = self.bias.numel()
        return delta.reshape(len(delta), -1, n_out) if self._last else delta.reshape(len(delta), n_out, -1).mT

    def summed(self, delta: Tensor) -> Tensor:
        """The gradient of each example by the bias [b, out]."""
        return self.positions_last(delta).sum(dim=1)


_WHOLE = "_heft_whole"  # attribute of a part: a function that gives the layer


def part_of(layer: nn.Module, keys: Collection[str]) -> nn.Module:
    """The layer with those of its parameters alone: itself, a copy without its bias, or `BiasAlone`. Itself too where
    nothing is known of its type, which who asks must refuse."""
    own = {key for key, _ in layer.named_parameters(recurse=False)}
    if own <= set(keys) or type(layer) not in LINEAR_IN_PARAMETERS:
        return layer
    if "weight" in keys:
        part: nn.Module = copy.deepcopy(layer)
        part.register_parameter("bias", None)
    else:
        part = BiasAlone(layer)
    object.__setattr__(part, _WHOLE, lambda: layer)
    return part


def whole_of(part: nn.Module) -> nn.Module:
    """The layer of the model that a part is of."""
    whole: nn.Module = getattr(part, _WHOLE, lambda: part)()
    return whole


def described(name: str, part: nn.Module) -> str:
    """The layer by name and type, with the setting for which rules of its type may not be known."""
    layer = whole_of(part)
    padding, mode = getattr(layer, "padding", 0), getattr(layer, "padding_mode", "zeros")
    setting = f' with padding "{padding}"' if isinstance(padding, str) else ""
    setting = f" padded by {mode}" if mode != "zeros" else setting
    return f"{name or 'the model itself'} ({type(layer).__name__}{setting})"


def layers_owning(layers: Mapping[str, nn.Module], names: Iterable[str]) -> dict[str, nn.Module]:
    """Those of the layers, by name, that own a parameter of `names` (in the model): the parts that those are."""
    chosen, parts = set(names), {}
    for name, layer in layers.items():
        if keys := {key for full, key in names_of(name, layer).items() if full in chosen}:
            parts[name] = part_of(layer, keys)
    return parts


def names_of(name: str, layer: nn.Module) -> dict[str, str]:
    """Parameters of the layer called `name`: their names in the model, and in the layer."""
    return {f"{name}.{key}" if name else key: key for key, _ in layer.named_parameters(recurse=False)}
