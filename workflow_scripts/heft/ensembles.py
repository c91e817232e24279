"""Members of an ensemble: the parameter vectors that a score is averaged over.

`parameter_dropout`: member k zeroes each parameter with probability p_k ~ U(0, p_max), in every state alike.
`seeds`: member k is the independently trained run k.
Member 0 is the trained model itself. The direction and both gradients are taken at the same member.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.methods.registry import Checkpoint, Context

KINDS = ("parameter_dropout", "seeds")
ROLES = ("spaced", "early")


class SavedState(Protocol):
    """A state of a run, as `heft.training.checkpoints` loads it."""

    @property
    def state(self) -> Mapping[str, Tensor]: ...
    @property
    def step(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...


class Run(Protocol):
    """A training run: its states by role (`final`, `spaced`, `early`), and what the training cost."""

    @property
    def cpu_seconds(self) -> float: ...
    def role(self, name: str) -> Sequence[SavedState]: ...


def member(
    base: Context,
    needs: Sequence[str],
    runs: Mapping[int, Run],
    number: int,
    kind: str | None,
    *,
    p_max: float = 0.01,
) -> Context:
    """`base` with the states that the method needs, of member `number`.

    p_max: in (0, 1], for `parameter_dropout`. Raises HeftError where the kind is unknown, p_max out of range or the
    member's run is not there.
    """
    if kind is not None and kind not in KINDS:
        raise HeftError(f'Ensemble kind "{kind}" is not known; known are {", ".join(KINDS)}.')
    if kind is None and number > 0:
        raise HeftError("Without an ensemble kind there is only member 0.")
    run_number = number if kind == "seeds" else 0
    if run_number not in runs:
        raise HeftError(f"Ensemble member {number} needs training run {run_number}, which is not in the checkpoints.")
    context = _with_states(base, needs, runs[run_number])
    if kind == "parameter_dropout" and number > 0:
        return _dropped(context, number, p_max)
    return context


def _with_states(base: Context, needs: Sequence[str], run: Run) -> Context:
    final = dict(run.role("final")[0].state) if "final" in needs else {}
    roles = {
        name: [Checkpoint(saved.state, saved.step, saved.learning_rate) for saved in run.role(name)]
        for name in ROLES
        if name in needs
    }
    return replace(base, final=final, spaced=roles.get("spaced", ()), early=roles.get("early", ()))


def _dropped(context: Context, number: int, p_max: float) -> Context:
    if not 0 < p_max <= 1:
        raise HeftError(f"parameter_dropout: p_max is {p_max}; it must be above 0 and at most 1.")
    keep = dropout_masks(context.network, context.seed, number, p_max)

    def masked(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: torch.where(keep[name], tensor, 0) if name in keep else tensor for name, tensor in state.items()}

    return replace(
        context,
        final=masked(context.final),
        spaced=[replace(checkpoint, state=masked(checkpoint.state)) for checkpoint in context.spaced],
        early=[replace(checkpoint, state=masked(checkpoint.state)) for checkpoint in context.early],
    )


def dropout_masks(model: nn.Module, seed: int, number: int, p_max: float) -> dict[str, Tensor]:
    """Of member `number`, for each parameter what is kept (bool); from seed and number alone. Buffers have no mask."""
    digest = hashlib.sha256(f"{seed}/parameter_dropout/{number}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    probability = p_max * torch.rand((), generator=generator)
    return {
        name: torch.rand(parameter.shape, generator=generator) >= probability
        for name, parameter in model.named_parameters()
    }
