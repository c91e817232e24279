"""Scores of a method for every member of an ensemble, and what each member costs."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from heft.devices import moved_to
from heft.ensembles.kinds import runs_of
from heft.ensembles.members import TrainedModels, member
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.objectives.declare import Objective
from heft.registry import Declaration, find
from heft.scoring.aggregate import MemberCost
from heft.scoring.cost import forward_cpu_seconds, measure
from heft.scoring.method_scores import base_context, method_scores, named


class MemberScores(NamedTuple):
    """scores float64 [n, size], one column a member; one cost a member; CPU seconds of one forward pass.

    warnings: of each member, what the method says of its own scores.
    """

    scores: np.ndarray
    costs: list[MemberCost]
    forward_cpu_seconds: float
    warnings: list[list[str]]


# longer: half of it says what it is given
def score_members(
    name: str,
    options: Mapping[str, Any],
    kind: str | None,
    size: int,
    *,
    model: nn.Module,
    trained: TrainedModels,
    train: Batch,
    validation: Batch,
    true_labels: Tensor | None,
    n_classes: int,
    seed: int,
    objective: Objective | None,
    ensemble_options: Mapping[str, float] | None = None,
    weight_decay: float = 0.0,
    optimiser: str = "sgd",
    given_probabilities: Tensor | None = None,
) -> MemberScores:
    """Runs the method at members 0..size-1 of ensemble `kind` (None: the trained model alone).

    objective: f, for methods that look at the validation split; the others need none. optimiser: by which the models
    were trained; a method that was derived for another one warns. given_probabilities: float64 [n, n_classes] on the
    CPU, in the place of the models `folds`.
    A member is charged what was trained for it beyond the base model, and one forward pass for each epoch of dynamics
    that was recorded in training.
    Raises HeftError naming the method where it or an option of it is not known, and the member where it cannot run or
    a score is not usable.
    """
    declared = find("methods", name)
    score, needs = declared.configured(options), declared.fields["needs"]
    if size > 1 and not declared.fields["ensemble"]:
        raise HeftError(f"Method {name} takes no ensemble, but {size} members of {kind} are asked for.")
    base = base_context(
        needs,
        train=train,
        n_classes=n_classes,
        seed=seed,
        model=model,
        validation=validation,
        true_labels=true_labels,
        objective=objective,
        weight_decay=weight_decay,
        given_probabilities=given_probabilities,
    )
    needs = tuple(need for need in needs if need != "folds" or given_probabilities is None)
    forward = forward_cpu_seconds(model, moved_to(base.device, trained.runs[0].final.state), train.inputs)
    columns, costs, warnings = [], [], []
    for number in range(size):
        where = f"member {number}"
        with measure() as cost:
            with named(name, where):
                context = member(replace(base, warnings=[]), needs, trained, number, kind, ensemble_options)
            if said := said_of_optimiser(declared, optimiser):
                context.warn(said)
            columns.append(method_scores(name, score, context, where))
        warnings.append(context.warnings)
        training = sum(run.cpu_seconds for run in trained.used(needs, kind, number))
        if context.dynamics is not None and (number == 0 or runs_of(kind)):
            training += len(context.dynamics.label_logit) * forward
        costs.append(MemberCost(cost.cpu_seconds, (cost.cpu_seconds + training) / forward, cost.peak_mb, training))
    return MemberScores(np.stack(columns, axis=1), costs, forward, warnings)


def said_of_optimiser(declared: Declaration, optimiser: str) -> str:
    """What a reader must know of a method that was derived for SGD where another optimiser trained; else empty."""
    assumed = declared.fields["derived_for_sgd"]
    if not assumed or optimiser == "sgd":
        return ""
    return f"its formula was derived for SGD, where {assumed}, but {optimiser} trained the model"


def costs_as_json(scored: MemberScores) -> dict[str, Any]:
    """What `cost.json` holds; `costs_from_json` reads it back."""
    return {
        "members": [asdict(cost) for cost in scored.costs],
        "forward_cpu_seconds": scored.forward_cpu_seconds,
        "warnings": scored.warnings,
    }
