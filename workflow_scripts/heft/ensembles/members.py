"""Members of an ensemble: what a method is given at each, from everything that was trained.

Member 0 is the trained model itself, in every kind. The direction and both gradients are taken at the same member.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from heft.auxiliary.asked import asks_for_runs
from heft.auxiliary.kinds import kinds_for
from heft.devices import moved_to
from heft.ensembles.kinds import kind_named, runs_of
from heft.ensembles.member import MemberModel, TrainedModel
from heft.errors import HeftError
from heft.kernels.functional import logits_of
from heft.kernels.logits import label_and_largest_other
from heft.kernels.selection import moved_parameters
from heft.methods.context import AuxiliaryModel, Checkpoint, Context, Dynamics
from heft.training.checkpoints import Run

Found = TypeVar("Found")


class AuxiliaryRun(NamedTuple):
    """The training run of a further model, and what it was trained without, as bool [n_train]."""

    run: Run
    held_out: Tensor


@dataclass(frozen=True)
class TrainedModels:
    """Everything that was trained, by member number; 0 is the base model.

    auxiliary: further trained models by need, then by member.
    """

    runs: Mapping[int, Run]
    auxiliary: Mapping[str, Mapping[int, Sequence[AuxiliaryRun]]] = field(default_factory=dict)
    dynamics: Mapping[int, Dynamics] = field(default_factory=dict)

    def used(self, needs: Sequence[str], kind: str | None, number: int) -> list[Run]:
        """Runs beyond the base model whose training member `number` of a kind was the first to need."""
        if number > 0 and not runs_of(kind):
            return []
        runs = [model.run for need in _auxiliary(needs) for model in self.further(need, number)]
        return [*runs, self.runs[number]] if number > 0 and asks_for_runs(needs) else runs

    def further(self, need: str, member: int) -> Sequence[AuxiliaryRun]:
        """The further models of a need that a member has; raises HeftError where they are not there."""
        return _of(self.auxiliary.get(need, {}), member, f"{need} of member")


def member(
    base: Context,
    needs: Sequence[str],
    trained: TrainedModels,
    number: int,
    kind: str | None,
    options: Mapping[str, Any] | None = None,
) -> Context:
    """`base` with what the method needs, of member `number`.

    States and dynamics, which may lie on the CPU, come to the device of the training inputs.
    options: those of the kind. Raises HeftError where the kind is unknown, an option out of range, or the member's
    states are not there.
    """
    if kind is None:
        if number > 0:
            raise HeftError("Without an ensemble kind there is only member 0.")
        return _as_trained(base, needs, trained, MemberModel())
    ensemble = kind_named(kind)
    ensemble.check(options or {})
    if number == 0:
        return _as_trained(base, needs, trained, MemberModel())
    state = moved_to(base.device, trained.runs[0].final.state)
    moved = moved_parameters(base.network, state, base.train.inputs) if ensemble.perturbs else ()
    model = ensemble.declaration.load()(TrainedModel(base.network, base.seed, moved), number, **(options or {}))
    return _changed(_as_trained(base, needs, trained, model), needs, trained, model)


def _as_trained(base: Context, needs: Sequence[str], trained: TrainedModels, model: MemberModel) -> Context:
    """What the training run of a member holds, as it stood some epochs before its final state."""
    number, back = model.run, model.epochs_back
    changes: dict[str, Any] = {}
    if {"final", "spaced", "early"} & set(needs):
        run = _of(trained.runs, number, "training run")
        end = _epoch(run, back)
        changes["final"] = moved_to(base.device, run.states[end].state) if "final" in needs else {}
        for role in {"spaced", "early"} & set(needs):
            states = [saved for saved in run.role(role) if back == 0 or saved.epoch <= end]
            if not states:
                raise HeftError(f"no {role} checkpoint is as early as epoch {end}; take a smaller ensemble.")
            changes[role] = [
                Checkpoint(moved_to(base.device, saved.state), saved.step, saved.learning_rate) for saved in states
            ]
    if "dynamics" in needs:
        dynamics = _of(trained.dynamics, number, "training dynamics of run")
        kept = len(dynamics.label_logit) - back
        if kept < 1:
            raise HeftError(f"the run has no epoch {back} epochs before its last; take a smaller ensemble.")
        changes["dynamics"] = Dynamics(*(logits[:kept].to(base.device) for logits in dynamics))
    further = {need: trained.further(need, number) for need in _auxiliary(needs)}
    changes["auxiliary"] = {
        need: [
            AuxiliaryModel(moved_to(base.device, run.states[_epoch(run, back)].state), held_out)
            for run, held_out in runs
        ]
        for need, runs in further.items()
    }
    return replace(base, **changes)


def _changed(context: Context, needs: Sequence[str], trained: TrainedModels, model: MemberModel) -> Context:
    """The context with the member's change in every state."""
    change, network = model.change, model.network or context.network
    if change is None:
        return context
    changed = replace(
        context,
        model=network,
        final=change(context.final),
        spaced=[replace(checkpoint, state=change(checkpoint.state)) for checkpoint in context.spaced],
        early=[replace(checkpoint, state=change(checkpoint.state)) for checkpoint in context.early],
        auxiliary={
            need: [further._replace(state=change(further.state)) for further in models]
            for need, models in context.auxiliary.items()
        },
    )
    if "dynamics" not in needs:
        return changed
    # What was recorded in training is the unchanged model's: each epoch's state is changed and asked again.
    states = (change(moved_to(context.device, saved.state)) for saved in trained.runs[model.run].role("every"))
    return replace(changed, dynamics=dynamics_of(network, states, context))


def dynamics_of(model: nn.Module, states: Iterable[Mapping[str, Tensor]], context: Context) -> Dynamics:
    """The dynamics of a run, from its states after each epoch."""
    inputs, labels = context.train
    logits = [label_and_largest_other(logits_of(model, state, inputs), labels) for state in states]
    return Dynamics(*(torch.stack(part) for part in zip(*logits, strict=True)))


def _auxiliary(needs: Iterable[str]) -> list[str]:
    """Those of a method's needs that further trained models serve."""
    return [kind.need for kind in kinds_for(needs).values()]


def _epoch(run: Run, back: int) -> int:
    epoch = run.final.epoch - back
    if epoch < 1 or epoch not in run.states:
        raise HeftError(f"the state {back} epochs before the final one is not there; take a smaller ensemble.")
    return epoch


def _of(by_number: Mapping[int, Found], number: int, what: str) -> Found:
    if number not in by_number:
        raise HeftError(f"Ensemble member {number} needs {what} {number}, which is not in the checkpoints.")
    return by_number[number]
