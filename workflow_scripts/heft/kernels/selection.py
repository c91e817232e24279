"""Which parameters a method looks at: of those that training moves all, those of the last layer, or of layers by name.

What training cannot move does not exist for a score: a parameter that requires no gradient, and one that no gradient of
the logits reaches (its layer runs under no_grad, before a detach, beside the way to the logits, or not at all).
"""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.calling import while_holding
from heft.kernels.functional import State, evaluation, values_of
from heft.kernels.once import once_a_model
from heft.kernels.reverse import gradients_by


def moved_parameters(model: nn.Module, state: State, inputs: Tensor) -> tuple[str, ...]:
    """Names of the parameters that training moves, in the model's order: found once a model, by the gradient of the
    logits of one or two examples."""
    return once_a_model(model, "moved parameters", lambda: _reached(model, state, inputs[:2]))


def trainable_parameters(model: nn.Module) -> tuple[str, ...]:
    """Names of the parameters that require a gradient, in the model's order."""
    return tuple(name for name, tensor in model.named_parameters() if tensor.requires_grad)


def _reached(model: nn.Module, state: State, inputs: Tensor) -> tuple[str, ...]:
    values = values_of(model, state)
    leaves = {name: values[name].requires_grad_() for name in trainable_parameters(model)}

    def run(held: nn.Module) -> tuple[Tensor | None, ...]:
        return gradients_by(held(inputs).sum(), leaves.values())

    try:
        with torch.enable_grad(), evaluation(model):
            gradients = while_holding(model, values, run)
    except (RuntimeError, NotImplementedError) as error:
        reason = str(error).strip().partition(". ")[0]
        raise HeftError(f"The gradient of {type(model).__name__} cannot be taken: {reason}.") from error
    return tuple(name for name, gradient in zip(leaves, gradients, strict=True) if gradient is not None)


def selected_parameters(model: nn.Module, which: str, moved: Collection[str] | None = None) -> tuple[str, ...]:
    """Names of the parameters that `which` selects of those in `moved` (None: all that require a gradient).

    which: `all`; `last`, the last layer that owns such parameters; or a pattern of layer names such as `layer4.*`,
    where `*` is any text. Raises HeftError naming the layers where none fits.
    """
    candidates = set(trainable_parameters(model) if moved is None else moved)
    layers = dict(_layers(model, candidates))
    if which == "last":
        chosen = [*layers][-1:]
    else:
        chosen = [name for name in layers if which == "all" or fnmatchcase(name, which)]
    if not chosen:
        raise HeftError(_nothing_fits(model, which, [*layers]))
    names = {parameter for layer in chosen for parameter in layers[layer]}
    return tuple(name for name, _ in model.named_parameters() if name in names)


def _layers(model: nn.Module, names: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Each layer that owns parameters of `names`, with those; one that layers share is owned by each."""
    name_of = {id(tensor): name for name, tensor in model.named_parameters()}
    for layer, module in model.named_modules():
        owned = [name_of[id(tensor)] for tensor in module.parameters(recurse=False)]
        if owned := [name for name in owned if name in names]:
            yield layer, owned


def _nothing_fits(model: nn.Module, which: str, layers: list[str]) -> str:
    if not layers:
        return f"Training moves no parameter of {type(model).__name__}: each requires no gradient, or gets none."
    everything = {name for name, _ in model.named_parameters()}
    still = [name for name, _ in _layers(model, everything) if name not in layers and fnmatchcase(name, which)]
    if still:
        return (
            f'parameters is "{which}", which fits only layers that training does not move ({", ".join(still)}); it '
            f"moves {', '.join(layers)}."
        )
    return f'parameters is "{which}"; it must be all, last, or fit a layer: {", ".join(layers)}.'
