"""Scores of a method for every member of an ensemble, what each member costs, and the check that a score is usable."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from heft.cost import forward_cpu_seconds, measure
from heft.ensembles import Run, member
from heft.errors import HeftError
from heft.methods.registry import Batch, Context
from heft.objectives.gradient import Objective, objective_gradient
from heft.objectives.loss import loss
from heft.registry import declarations


class Labelled(Protocol):
    """Inputs [n, ...] and labels int64 [n]: `heft.data.examples.Examples`, or a `Batch`."""

    @property
    def inputs(self) -> Tensor: ...
    @property
    def labels(self) -> Tensor: ...


@dataclass(frozen=True)
class MemberCost:
    """Of scoring with one member; training_cpu_seconds is what training it took besides (0 but for `seeds`).

    The training of member 0, the model under study, is never charged: no method goes without it.
    forward_passes: CPU seconds, training included, over those of one forward pass over the training set.
    """

    cpu_seconds: float
    forward_passes: float
    peak_mb: float
    training_cpu_seconds: float


class MemberScores(NamedTuple):
    """scores float64 [n, size], one column a member; one cost a member; CPU seconds of one forward pass."""

    scores: np.ndarray
    costs: list[MemberCost]
    forward_cpu_seconds: float


def score_members(
    name: str,
    options: Mapping[str, Any],
    kind: str | None,
    size: int,
    *,
    model: nn.Module,
    runs: Mapping[int, Run],
    train: Labelled,
    validation: Labelled,
    true_labels: Tensor | None,
    n_classes: int,
    seed: int,
    p_max: float = 0.01,
    weight_decay: float = 0.0,
    objective: Objective = loss,
) -> MemberScores:
    """Runs the method at members 0..size-1 of ensemble `kind` (None: the trained model alone).

    Raises HeftError naming the method and the member where it cannot run or a score is not usable.
    """
    declared = declarations("methods")[name]
    function, needs = declared.load(), declared.fields["needs"]
    if size > 1 and not declared.fields["ensemble"]:
        raise HeftError(f"Method {name} takes no ensemble, but {size} members of {kind} are asked for.")
    base = Context(
        train=Batch(train.inputs, train.labels),
        n_classes=n_classes,
        seed=seed,
        model=model,
        validation=Batch(validation.inputs, validation.labels) if "validation" in needs else None,
        true_labels=true_labels if "true_labels" in needs else None,
        gradient=partial(objective_gradient, objective),
        weight_decay=weight_decay,
    )
    forward = forward_cpu_seconds(model, runs[0].role("final")[0].state, train.inputs)
    columns, costs = [], []
    for number in range(size):
        with measure() as cost:
            try:
                scores = function(member(base, needs, runs, number, kind, p_max=p_max), **options)
            except HeftError as error:
                raise HeftError(f"Method {name}, member {number}: {error}") from error
        columns.append(check_scores(scores.double().numpy(), len(train.labels), name, f"member {number}"))
        training = runs[number].cpu_seconds if kind == "seeds" and number > 0 else 0.0
        costs.append(MemberCost(cost.cpu_seconds, (cost.cpu_seconds + training) / forward, cost.peak_mb, training))
    return MemberScores(np.stack(columns, axis=1), costs, forward)


def ensemble_mean(scores: np.ndarray, size: int) -> np.ndarray:
    """The mean [n] of the first `size` members of scores [n, members]."""
    if not 1 <= size <= scores.shape[1]:
        raise HeftError(f"An ensemble of {size} was asked for, but {scores.shape[1]} members are scored.")
    return scores[:, :size].mean(axis=1)


def ensemble_cost(costs: Sequence[MemberCost], size: int) -> dict[str, float]:
    """Of the first `size` members: score_cpu_seconds (training included), forward_passes; score_peak_mb the highest."""
    first = costs[:size]
    return {
        "score_cpu_seconds": sum(cost.cpu_seconds + cost.training_cpu_seconds for cost in first),
        "score_peak_mb": max(cost.peak_mb for cost in first),
        "forward_passes": sum(cost.forward_passes for cost in first),
    }


def costs_as_json(scored: MemberScores) -> dict[str, Any]:
    """What `cost.json` holds; `costs_from_json` reads it back."""
    return {"members": [asdict(cost) for cost in scored.costs], "forward_cpu_seconds": scored.forward_cpu_seconds}


def costs_from_json(facts: Mapping[str, Any]) -> list[MemberCost]:
    """The members' costs in `cost.json`."""
    return [MemberCost(**cost) for cost in facts["members"]]


def check_scores(scores: np.ndarray, n: int, method: str, variant: str) -> np.ndarray:
    """The scores, unchanged. Raises HeftError where they are not n finite numbers that differ."""
    where = f"Method {method} ({variant})"
    if scores.shape != (n,):
        raise HeftError(f"{where} gave scores of shape {list(scores.shape)} for {n} training examples.")
    if bad := int((~np.isfinite(scores)).sum()):
        first = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise HeftError(
            f"{where} gave {bad} of {n} scores that are not finite, first in row {first}; "
            "check that training did not diverge (lower training.learning_rate), or raise the method's damping."
        )
    if n > 1 and scores.min() == scores.max():
        raise HeftError(
            f"{where} gave every example the score {scores[0]:g}, which ranks nothing; "
            "check that the model was trained and that its gradients are not all zero."
        )
    return scores
