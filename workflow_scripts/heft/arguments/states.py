"""States of models as a caller holds them: what each argument of `heft.score` may be."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from heft.arguments.tensors import tensor_of, type_and_shape, type_of
from heft.ensembles.members import AuxiliaryRun
from heft.errors import HeftError
from heft.kernels.logits import label_and_largest_other
from heft.methods.context import Dynamics
from heft.phrases import shown
from heft.training.checkpoints import Run, SavedState


def passed_state(given: Any, argument: str) -> dict[str, Tensor]:
    """Parameters and buffers by name, of a state_dict or a module. argument: where it stands, for sentences."""
    state = given.state_dict() if isinstance(given, nn.Module) else given
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise HeftError(f"{argument} is a {type(given).__name__}; expected a state_dict or a torch.nn.Module.")
    return {name: tensor.detach() for name, tensor in state.items()}


def checkpoints_of(given: Any, argument: str) -> list[tuple[dict[str, Tensor], float]]:
    """(state, learning rate) each; 1 is the learning rate of states that come alone."""
    several = _several(given, argument)
    paired = [_is_pair(element) for element in several]
    if any(paired) != all(paired):
        raise HeftError(f"{argument} mixes states and pairs (state, learning rate); expected one or the other.")
    pairs = several if all(paired) else [(state, 1.0) for state in several]
    return [
        (passed_state(state, f"{argument}[{k}]"), _learning_rate(rate, f"{argument}[{k}]"))
        for k, (state, rate) in enumerate(pairs)
    ]


def run_of(model: nn.Module, checkpoints: Sequence[tuple[dict[str, Tensor], float]]) -> Run:
    """A training run that ended with the model, and passed by the checkpoints, as if after one epoch each."""
    states = [*checkpoints, (passed_state(model, "model"), 0.0)]
    passed = list(range(1, len(states)))
    return Run(
        {epoch: SavedState(epoch, epoch, rate, state) for epoch, (state, rate) in enumerate(states, start=1)},
        {"final": [len(states)], "spaced": passed, "early": passed, "every": passed},
    )


def further_models(given: Any, n: int, argument: str) -> list[AuxiliaryRun]:
    """Of one state, or of several, or of pairs (state, what that model was trained without as bool [n])."""
    several = _several([given] if isinstance(given, Mapping | nn.Module) else given, argument)
    models = []
    for k, element in enumerate(several):
        state, without = element if _is_pair(element) else (element, torch.zeros(n, dtype=torch.bool))
        what = f"{argument}[{k}]: what the model was trained without"
        held_out = tensor_of(without, what).cpu()
        if held_out.dtype != torch.bool or tuple(held_out.shape) != (n,):
            raise HeftError(f"{what} is {type_and_shape(held_out)}; expected bool [{n}].")
        saved = SavedState(1, 0, 0.0, passed_state(state, f"{argument}[{k}]"))
        models.append(AuxiliaryRun(Run({1: saved}, {"final": [1]}), held_out))
    return models


def passed_dynamics(given: Any, labels: Tensor, argument: str) -> Dynamics:
    """Of logits [n_epochs, n, n_classes], or of a pair [n_epochs, n] of the label's and the largest other logit."""
    n = len(labels)
    tensors = [part.detach() for part in _several(list(given) if isinstance(given, Tensor) else given, argument)
               if isinstance(part, Tensor)]  # fmt: skip
    wrong = next((tensor for tensor in tensors if not tensor.is_floating_point()), None)
    if wrong is not None:
        raise HeftError(f"{argument} are of type {type_of(wrong)}; expected a floating type, such as float32.")
    shapes = {tuple(tensor.shape) for tensor in tensors}
    shape = shapes.pop() if len(shapes) == 1 else ()
    if isinstance(given, Tensor) and len(shape) == 2 and shape[0] == n:
        both = [label_and_largest_other(logits, labels.to(logits.device)) for logits in tensors]
        return Dynamics(*(torch.stack(part) for part in zip(*both, strict=True)))
    if isinstance(given, tuple | list) and len(tensors) == len(given) == 2 and shape[1:] == (n,):
        return Dynamics(*tensors)
    raise HeftError(
        f"{argument} are no logits of {n} training examples after each epoch; expected a tensor [n_epochs, {n}, "
        f"n_classes], or a pair of tensors [n_epochs, {n}]."
    )


def _learning_rate(given: Any, argument: str) -> float:
    try:
        return float(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HeftError(f"{argument}: the learning rate is {shown(given)}; expected a number.") from error


def _is_pair(element: Any) -> bool:
    return isinstance(element, tuple | list) and len(element) == 2


def _several(given: Any, argument: str) -> Sequence[Any]:
    if not isinstance(given, list | tuple) or not given:
        kind = "empty" if isinstance(given, list | tuple) else f"a {type(given).__name__}"
        raise HeftError(f"{argument} is {kind}; expected a list with at least one element.")
    return given
