"""Rows of the comparison table: one retrained model each, measured on validation and test."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from heft.curation.chosen import ChosenAction
from heft.curation.ranking import tie_break
from heft.curation.states import retrained_state
from heft.data.examples import Examples
from heft.devices import moved_to
from heft.evaluation.columns import COLUMNS, KEY
from heft.evaluation.curated import curated_numbers
from heft.evaluation.detection import (
    detection_quality,
    inspection_quality,
    precision_at_recall,
    removal_quality,
)
from heft.evaluation.measuring import TEST_ACCURACY, Judge, numbers_of


@dataclass(frozen=True)
class Evaluated:
    """The columns of the comparison table that name a variant."""

    experiment: str
    seed: int
    variant: str
    method: str
    ensemble: str = ""
    members: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    trains_on_validation: bool = False  # for its scores, or for its model where it is a baseline


@dataclass(frozen=True)
class Splits:
    """The three disjoint splits; what is known of wrong labels, the training split says."""

    train: Examples
    validation: Examples
    test: Examples

    @property
    def wrong(self) -> np.ndarray | None:
        """[n_train] bool: the given label is not the true one; None where true labels are not known."""
        return self.train.wrong

    @property
    def true_labels(self) -> np.ndarray | None:
        """[n_train] int64; None where they are not known."""
        return None if self.train.true_labels is None else self.train.true_labels.cpu().numpy()


# longer: half of it says what it is given; a row is put together in one place
def evaluate_variant(
    evaluated: Evaluated,
    model: nn.Module,
    states: Mapping[str, Tensor],
    plan: pd.DataFrame,
    splits: Splits,
    scores: pd.DataFrame | None,
    cost: Mapping[str, float],
    judge: Judge = TEST_ACCURACY,
    actions: Iterable[ChosenAction] = (),
    further_cpu_seconds: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """One row per action and fraction of `plan`, further numbers in long form, and the precision-recall curve.

    states: retrained models as `heft.curation.states` names them. scores: id and score, None for the unpruned variant.
    A model whose loss on validation or test is not finite has diverged: its measured columns are empty, it is never
    chosen, and the long form says `diverged`.
    The chosen row has the lowest value of the objective that the judge names, on the validation split.
    Where true labels are not known, nothing is said of wrong ones.
    Where validation labels were trained on, validation chooses no row, and says nothing of a model trained on them.
    cost: score_cpu_seconds, score_peak_mb, forward_passes where there are scores, and retrain_cpu_seconds of one model.
    actions: those of the plan. further_cpu_seconds: {action: seconds} of the further models that it needs,
    with which `retrain_cpu_seconds` of each of its rows is charged besides.
    """
    judge.check(splits.validation.groups is not None)
    ordered = None if scores is None else scores.set_index("id")["score"].loc[splits.train.ids].to_numpy()
    wrong = splits.wrong
    detection = {} if ordered is None or wrong is None else detection_quality(ordered, wrong)
    ties = tie_break(splits.train.ids, evaluated.seed)
    inspection = {} if ordered is None or wrong is None else inspection_quality(ordered, wrong, ties)
    changes = {chosen.slug: chosen.changes for chosen in actions}
    rows: list[dict[str, Any]] = []
    long: list[dict[str, Any]] = []
    judged: list[float | None] = []
    for (action, fraction), block in plan.groupby(["action", "fraction"], sort=False):
        block = block.set_index("id").loc[splits.train.ids]
        kept, changed = block["kept"].to_numpy(), changes[action] if action else ()
        state = moved_to(splits.train.device, retrained_state(states, str(action), float(fraction)))
        numbers = numbers_of(model, state, splits.train, splits.validation, splits.test, judge)
        if evaluated.trains_on_validation and not action:
            numbers = numbers.without_validation()
        row = dict.fromkeys(COLUMNS, None) | asdict(evaluated)
        row |= {
            "options": json.dumps(dict(evaluated.options), sort_keys=True),
            "action": action,
            "fraction": float(fraction),
        }
        row |= {"n_removed": int((~kept).sum()), **numbers.columns, **detection, **cost}
        if action in further_cpu_seconds:
            row["retrain_cpu_seconds"] = cost["retrain_cpu_seconds"] + further_cpu_seconds[action]
        row |= removal_quality(kept, wrong) if "kept" in changed and wrong is not None else {}
        done = curated_numbers(block, splits.train.labels.cpu().numpy(), splits.true_labels, changed)
        judged.append(numbers.validation.get(judge.objective))
        rows.append({name: "" if row[name] is None else row[name] for name in COLUMNS})
        long += [
            {**{name: row[name] for name in KEY}, "metric": name, "value": value}
            for name, value in (numbers.long | done | inspection).items()
        ]
    if evaluated.trains_on_validation:
        long += [{**{name: row[name] for name in KEY}, "metric": "trains_on_validation", "value": 1} for row in rows]
    else:
        _choose(rows, judged)
    curve = None if ordered is None or wrong is None else precision_at_recall(ordered, wrong)
    return {"rows": rows, "long": long, "precision_recall": curve}


def _choose(rows: list[dict[str, Any]], values: list[float | None]) -> None:
    """Marks the row of the lowest value on the validation split, the first of equals; a row without one never."""
    known = [value for value in values if value is not None]
    chosen = values.index(min(known)) if known else None
    for index, row in enumerate(rows):
        row["chosen"] = index == chosen
