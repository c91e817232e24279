"""Changes of a trained model that make the members of an ensemble; each follows from seed and member number alone.

`parameter_dropout`: each parameter is zeroed with probability p_k ~ U(0, p_max); the others stay as they are, or
with `rescale` are divided by 1 - p_k.
`gaussian`: N(0, sigma^2) is added to each parameter.
`activation_dropout`: what enters each layer but the first is masked (`heft.ensembles.activation_dropout`).
Buffers are never changed, nor are parameters that training does not move.
A member that has several states (checkpoints, folds) has the same change in all of them.
"""

from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor, nn

from heft.ensembles.activation_dropout import activation_dropout, random_stream
from heft.kernels.selection import trainable_parameters

Change = tuple[nn.Module, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]]  # the model, and the change of a state


def perturbation(
    kind: str,
    model: nn.Module,
    seed: int,
    number: int,
    values: Mapping[str, float],
    moved: Collection[str] | None = None,
) -> Change:
    """The change of member `number`, with the values of the kind's options.

    moved: names of the parameters that training moves, which alone are changed; None: those that require a gradient.
    """
    return CHANGES[kind](model, seed, number, moved=moved, **values)


def parameter_dropout(
    model: nn.Module,
    seed: int,
    number: int,
    p_max: float,
    rescale: bool = False,
    moved: Collection[str] | None = None,
) -> Change:
    """See `dropout_masks`; the masks are those without `rescale`."""
    keep, probability = dropout_masks(model, seed, number, p_max, moved)
    factor, name_of = 1 / (1 - probability) if rescale else 1.0, _first_names(model)
    return model, lambda state: {
        name: torch.where(keep[first], factor * tensor, 0) if (first := name_of.get(name)) in keep else tensor
        for name, tensor in state.items()
    }


def dropout_masks(
    model: nn.Module, seed: int, number: int, p_max: float, moved: Collection[str] | None = None
) -> tuple[dict[str, Tensor], float]:
    """Of member `number`, for each parameter what is kept (bool), and the probability p_k of being zeroed."""
    generator = random_stream(seed, "parameter_dropout", number)
    probability = p_max * torch.rand((), generator=generator)
    keep = {
        name: torch.rand(parameter.shape, generator=generator) >= probability
        for name, parameter in _changed(model, moved)
    }
    return keep, float(probability)


def gaussian(model: nn.Module, seed: int, number: int, sigma: float, moved: Collection[str] | None = None) -> Change:
    """Adds the same noise to every state of the member."""
    generator, name_of = random_stream(seed, "gaussian", number), _first_names(model)
    noise = {
        name: sigma * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
        for name, parameter in _changed(model, moved)
    }
    return model, lambda state: {
        name: tensor + noise[first] if (first := name_of.get(name)) in noise else tensor
        for name, tensor in state.items()
    }


def _changed(model: nn.Module, moved: Collection[str] | None) -> list[tuple[str, nn.Parameter]]:
    """The parameters that training moves: what it cannot move does not exist for a score."""
    chosen = trainable_parameters(model) if moved is None else moved
    return [(name, parameter) for name, parameter in model.named_parameters() if name in chosen]


def _first_names(model: nn.Module) -> dict[str, str]:
    """Every name of each parameter in a state, with the first that it has: tied ones are changed alike."""
    first = {id(parameter): name for name, parameter in model.named_parameters()}
    return {name: first[id(parameter)] for name, parameter in model.named_parameters(remove_duplicate=False)}


CHANGES: dict[str, Callable[..., Change]] = {
    "parameter_dropout": parameter_dropout,
    "gaussian": gaussian,
    "activation_dropout": activation_dropout,
}
