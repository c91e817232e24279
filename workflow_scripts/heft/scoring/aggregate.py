"""Scores and costs of ensemble members: their mean, their sum, and whether a score is usable; without torch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heft.errors import HeftError


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


def ensemble_warnings(facts: Mapping[str, Any], size: int) -> list[str]:
    """What the method said in `cost.json` of its scores at the first `size` members, a sentence that differs in numbers
    alone once, with the number of members that it was said at."""
    said: dict[str, list[str]] = {}
    for warnings in facts["warnings"][:size]:
        for warning in warnings:
            said.setdefault(re.sub(r"[-+\d.e]*\d", "#", warning), []).append(warning)
    return [alike[0] + (f" (at {len(alike)} of {size} members)" if size > 1 else "") for alike in said.values()]


def costs_from_json(facts: Mapping[str, Any]) -> list[MemberCost]:
    """The members' costs in `cost.json`."""
    return [MemberCost(**cost) for cost in facts["members"]]


def check_scores(scores: np.ndarray, n: int, method: str, variant: str = "") -> np.ndarray:
    """The scores, unchanged. Raises HeftError where they are not n finite numbers that differ."""
    where = f"Method {method}" + (f" ({variant})" if variant else "")
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
