"""Splits and models for the tests of measures."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from plain_training import SPEC, examples, plain_logits, start_of
from removal import REMOVE, removal_plan
from torch import Tensor
from torch.nn.functional import cross_entropy

from heft.data.examples import Examples
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant

FRACTIONS = [0.1, 0.2, 0.3, 0.4, 0.5]


def uneven(split: Examples, *numbers: int) -> Examples:
    """The first examples of each given label, as many as said."""
    rows = torch.cat([(split.labels == label).nonzero()[:n, 0] for label, n in enumerate(numbers)])
    given = {name: getattr(split, name)[rows] for name in ("inputs", "labels", "true_labels")}
    return replace(split, ids=split.ids[rows.numpy()], **given)


SPLITS = Splits(examples(30), uneven(examples(90, 1, "v"), 18, 5, 2), uneven(examples(90, 2, "t"), 17, 3, 9))


@cache
def state(number: int) -> dict[str, Tensor]:
    return {name: 3 * tensor for name, tensor in start_of(7 + number).items()}


def loss_by_hand(number: int, split: Examples) -> float:
    return float(cross_entropy(plain_logits(list(state(number).values()), split.inputs), split.labels))


def evaluated(**changes: Any) -> dict[str, Any]:
    """Five removals, the row of state number k at fraction k."""
    train = SPLITS.train
    table = pd.DataFrame({"id": train.ids, "label": train.labels, "true_label": train.true_labels})
    scores = pd.DataFrame({"id": train.ids, "score": np.arange(len(train))})
    states = {f"remove-{f}/{name}": tensor for k, f in enumerate(FRACTIONS) for name, tensor in state(k).items()}
    given = {"plan": removal_plan(table, scores, FRACTIONS, seed=0), "scores": scores, "states": states}
    given["actions"] = REMOVE
    who = changes.pop("who", Evaluated("mine", 0, "ip", "ip"))
    return evaluate_variant(who, SPEC.build(0), splits=SPLITS, cost={}, **(given | changes))


def long_form(metrics: dict[str, Any]) -> pd.Series:
    return pd.DataFrame(metrics["long"]).set_index(["metric", "fraction"])["value"]
