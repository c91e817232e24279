"""Rows of the comparison table: one retrained model each, measured on validation and test."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from heft.curation.ranking import tie_break
from heft.curation.states import state_of
from heft.data.examples import Examples
from heft.evaluation.columns import CLASS_ACCURACY, COLUMNS, DIVERGED, KEY
from heft.evaluation.metrics.detection import (
    detection_quality,
    inspection_quality,
    precision_at_recall,
    removal_quality,
)
from heft.training.dynamics import loss_and_accuracy, predict


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
    """The three disjoint splits; wrong labels are known in the training split."""

    train: Examples
    validation: Examples
    test: Examples

    @property
    def wrong(self) -> np.ndarray:
        """[n_train] bool: the given label is not the true one."""
        return (self.train.labels != self.train.true_labels).numpy()


def evaluate_variant(
    evaluated: Evaluated,
    model: nn.Module,
    states: Mapping[str, Tensor],
    plan: pd.DataFrame,
    splits: Splits,
    scores: pd.DataFrame | None,
    cost: Mapping[str, float],
) -> dict[str, Any]:
    """One row per action and fraction of `plan`, further numbers in long form, and the precision-recall curve.

    states: retrained models as `heft.curation.states` names them. scores: id and score, None for the unpruned variant.
    A model whose loss on validation or test is not finite has diverged: its measured columns are empty, it is never
    chosen, and the long form says `diverged`.
    Where validation labels were trained on, validation chooses no row, and says nothing of a model trained on them.
    cost: score_cpu_seconds, score_peak_mb, forward_passes where there are scores, and retrain_cpu_seconds of one model.
    """
    ordered = None if scores is None else scores.set_index("id")["score"].loc[splits.train.ids].to_numpy()
    detection = {} if ordered is None else detection_quality(ordered, splits.wrong)
    ties = tie_break(splits.train.ids, evaluated.seed)
    inspection = {} if ordered is None else inspection_quality(ordered, splits.wrong, ties)
    rows: list[dict[str, Any]] = []
    long: list[dict[str, Any]] = []
    for (action, fraction), block in plan.groupby(["action", "fraction"], sort=False):
        kept = block.set_index("id")["kept"].loc[splits.train.ids].to_numpy()
        state = state_of(states, str(action), float(fraction))
        measured, further = _measure(model, state, splits)
        row = dict.fromkeys(COLUMNS, None) | asdict(evaluated)
        row |= {
            "options": json.dumps(dict(evaluated.options), sort_keys=True),
            "action": action,
            "fraction": float(fraction),
        }
        row |= {"n_removed": int((~kept).sum()), **measured, **detection, **cost}
        row |= removal_quality(kept, splits.wrong) if action else {}
        rows.append({name: "" if row[name] is None else row[name] for name in COLUMNS})
        long += [
            {**{name: row[name] for name in KEY}, "metric": name, "value": value}
            for name, value in (further | inspection).items()
        ]
    if evaluated.trains_on_validation:
        long += [{**{name: row[name] for name in KEY}, "metric": "trains_on_validation", "value": 1} for row in rows]
        for row in rows:
            row["val_loss"] = row["val_loss"] if row["action"] else ""
    else:
        best = min((row["val_loss"] for row in rows if row["val_loss"] != ""), default=None)
        chosen = next((index for index, row in enumerate(rows) if row["val_loss"] == best), None)
        for index, row in enumerate(rows):
            row["chosen"] = index == chosen
    curve = None if ordered is None else precision_at_recall(ordered, splits.wrong)
    return {"rows": rows, "long": long, "precision_recall": curve}


def _measure(
    model: nn.Module, state: dict[str, Tensor], splits: Splits
) -> tuple[dict[str, float | None], dict[str, float]]:
    """The measured columns, and further metrics; of a model that diverged, that it did."""
    logits = {name: predict(model, state, getattr(splits, name).inputs) for name in ("validation", "test", "train")}
    validation, test, train = (loss_and_accuracy(found, getattr(splits, name).labels) for name, found in logits.items())
    if not (isfinite(validation[0]) and isfinite(test[0])):
        return dict.fromkeys(("val_loss", "test_loss", "test_accuracy")), {DIVERGED: 1}
    columns: dict[str, float | None] = {"val_loss": validation[0], "test_loss": test[0], "test_accuracy": test[1]}
    further = {"validation_accuracy": validation[1], "train_accuracy": train[1]}
    if isfinite(train[0]):  # which a removed example, too, decides
        further["train_loss"] = train[0]
    return columns, further | accuracy_by_class(logits["test"], splits.test.labels)


def accuracy_by_class(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """test_accuracy_class_{index}: share of a class's examples that are predicted as it; of classes with examples.

    logits: [n, n_classes]. labels: [n]. The report names the classes: names of metrics do not depend on data.
    """
    right = (logits.argmax(1) == labels).float()
    return {
        f"{CLASS_ACCURACY}{index}": float(right[labels == index].mean())
        for index in labels.unique(sorted=True).tolist()
    }
