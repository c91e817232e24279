"""Members of an ensemble: what a method is given at each, from everything that was trained.

Member 0 is the trained model itself, in every kind. The direction and both gradients are taken at the same member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from heft.ensembles.kinds import kind_named
from heft.ensembles.perturbations import perturbation
from heft.errors import HeftError
from heft.kernels.functional import logits_of
from heft.kernels.logits import label_and_largest_other
from heft.kernels.selection import moved_parameters
from heft.methods.context import Checkpoint, Context, Dynamics, Fold
from heft.training.checkpoints import Run

Found = TypeVar("Found")


@dataclass(frozen=True)
class TrainedModels:
    """Everything that was trained, by member number; 0 is the base model.

    folds: of each member, one run a fold. fold_of [n_train]: the fold that holds an example out. subsets: runs on
    random halves, by number; `subsets_each` of them make a member.
    """

    runs: Mapping[int, Run]
    folds: Mapping[int, Sequence[Run]] = field(default_factory=dict)
    fold_of: Mapping[int, Tensor] = field(default_factory=dict)
    subsets: Mapping[int, Run] = field(default_factory=dict)
    subsets_each: int = 1
    fine_tuned: Mapping[int, Run] = field(default_factory=dict)
    dynamics: Mapping[int, Dynamics] = field(default_factory=dict)

    def used(self, needs: Sequence[str], kind: str | None, number: int) -> list[Run]:
        """Runs beyond the base model whose training member `number` of a kind was the first to need."""
        if kind != "seeds" and number > 0:
            return []
        runs = [*self.folds[number]] if "folds" in needs else []
        if "subsets" in needs:
            runs += [_of(self.subsets, one, "subset run") for one in self.subset_numbers(number)]
        runs += [self.fine_tuned[number]] if "fine_tuned" in needs else []
        own = {"final", "spaced", "early", "dynamics", "fine_tuned"} & set(needs)
        return [*runs, self.runs[number]] if own and number > 0 else runs

    def subset_numbers(self, number: int) -> range:
        """Numbers of the runs on subsets that a member takes."""
        return range(number * self.subsets_each, (number + 1) * self.subsets_each)


def member(
    base: Context,
    needs: Sequence[str],
    trained: TrainedModels,
    number: int,
    kind: str | None,
    options: Mapping[str, float] | None = None,
) -> Context:
    """`base` with what the method needs, of member `number`.

    options: those of the kind. Raises HeftError where the kind is unknown, an option out of range, or the member's
    states are not there.
    """
    if kind is None:
        if number > 0:
            raise HeftError("Without an ensemble kind there is only member 0.")
        return _unchanged(base, needs, trained, 0, 0)
    values = kind_named(kind).values(kind, options or {})
    if not kind_named(kind).perturbs:
        run, epochs_back = (number, 0) if kind == "seeds" else (0, number)
        return _unchanged(base, needs, trained, run, epochs_back)
    context = _unchanged(base, needs, trained, 0, 0)
    return context if number == 0 else _perturbed(context, needs, trained, kind, number, values)


def _unchanged(base: Context, needs: Sequence[str], trained: TrainedModels, number: int, back: int) -> Context:
    """What run `number` holds, as it stood `back` epochs before its final state."""
    changes: dict[str, object] = {}
    if {"final", "spaced", "early"} & set(needs):
        run = _of(trained.runs, number, "training run")
        end = _epoch(run, back)
        changes["final"] = run.states[end].state if "final" in needs else {}
        for role in {"spaced", "early"} & set(needs):
            states = [saved for saved in run.role(role) if back == 0 or saved.epoch <= end]
            if not states:
                raise HeftError(f"no {role} checkpoint is as early as epoch {end}; take a smaller ensemble.")
            changes[role] = [Checkpoint(saved.state, saved.step, saved.learning_rate) for saved in states]
    if "dynamics" in needs:
        dynamics = _of(trained.dynamics, number, "training dynamics of run")
        kept = len(dynamics.label_logit) - back
        if kept < 1:
            raise HeftError(f"the run has no epoch {back} epochs before its last; take a smaller ensemble.")
        changes["dynamics"] = Dynamics(*(logits[:kept] for logits in dynamics))
    if "folds" in needs:
        fold_of = _of(trained.fold_of, number, "folds of run")
        runs = enumerate(trained.folds[number])
        changes["folds"] = [Fold(run.states[_epoch(run, back)].state, fold_of == fold) for fold, run in runs]
    if "subsets" in needs:
        runs_on_subsets = [_of(trained.subsets, one, "subset run") for one in trained.subset_numbers(number)]
        changes["subsets"] = [run.states[_epoch(run, back)].state for run in runs_on_subsets]
    if "fine_tuned" in needs:
        run = _of(trained.fine_tuned, number, "fine-tuned run")
        changes["fine_tuned"] = run.states[_epoch(run, back)].state
    return replace(base, **changes)  # type: ignore[arg-type]


def _perturbed(
    context: Context, needs: Sequence[str], trained: TrainedModels, kind: str, number: int, values: Mapping[str, float]
) -> Context:
    state, inputs = trained.runs[0].final.state, context.train.inputs
    moved = moved_parameters(context.network, state, inputs)
    model, change = perturbation(kind, context.network, context.seed, number, values, moved)
    changed = replace(
        context,
        model=model,
        final=change(context.final),
        spaced=[replace(checkpoint, state=change(checkpoint.state)) for checkpoint in context.spaced],
        early=[replace(checkpoint, state=change(checkpoint.state)) for checkpoint in context.early],
        folds=[fold._replace(state=change(fold.state)) for fold in context.folds],
        subsets=[change(state) for state in context.subsets],
        fine_tuned=change(context.fine_tuned),
    )
    if "dynamics" not in needs:
        return changed
    # What was recorded in training is the unchanged model's: each epoch's state is changed and asked again.
    states = [change(saved.state) for saved in trained.runs[0].role("every")]
    return replace(changed, dynamics=dynamics_of(model, states, context))


def dynamics_of(model: nn.Module, states: Sequence[Mapping[str, Tensor]], context: Context) -> Dynamics:
    """The dynamics of a run, from its states after each epoch."""
    inputs, labels = context.train
    logits = [label_and_largest_other(logits_of(model, state, inputs), labels) for state in states]
    return Dynamics(*(torch.stack(part) for part in zip(*logits, strict=True)))


def _epoch(run: Run, back: int) -> int:
    epoch = run.final.epoch - back
    if epoch < 1 or epoch not in run.states:
        raise HeftError(f"the state {back} epochs before the final one is not there; take a smaller ensemble.")
    return epoch


def _of(found: Mapping[int, Found], number: int, what: str) -> Found:
    if number not in found:
        raise HeftError(f"Ensemble member {number} needs {what} {number}, which is not in the checkpoints.")
    return found[number]
