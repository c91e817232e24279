"""remove: takes the lowest-scored share of the training split away."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from heft.curation.fractions import check_fractions, n_removed
from heft.curation.ranking import lowest_first, tie_break


def kept_after_removal(scores: np.ndarray, ties: np.ndarray, fraction: float) -> np.ndarray:
    """True for each example that stays; exactly `n_removed(fraction, n)` leave, lowest scores first.

    scores: [n], low is detrimental. ties: [n], which of equal ones leaves first. Returns [n] bool.
    """
    kept = np.ones(len(scores), dtype=bool)
    kept[lowest_first(scores, ties)[: n_removed(fraction, len(scores))]] = False
    return kept


def removal_plan(train: pd.DataFrame, scores: pd.DataFrame, fractions: list[float], seed: int) -> pd.DataFrame:
    """One block of rows per fraction: id, action, fraction, kept, label, weight (1 where kept, else 0).

    train: id and label of the training split. scores: id and score, in any order. The seed decides which of equally
    scored examples leave. Raises ValueError where an id has no score, HeftError where a fraction is none or all.
    """
    check_fractions(fractions, len(train), "fractions")
    ordered = scores.set_index("id")["score"].reindex(train["id"])
    if ordered.isna().any():
        raise ValueError(f"no score for id {ordered.index[ordered.isna()][0]}")
    values, ties = ordered.to_numpy(), tie_break(train["id"].to_numpy(dtype=str), seed)
    return pd.concat(
        [_block(train, kept_after_removal(values, ties, fraction), "remove", fraction) for fraction in fractions]
    )


def classes_left_empty(plan: pd.DataFrame) -> dict[float, list[int]]:
    """Of each fraction of a plan that leaves a given label without an example, those labels."""
    found = {}
    for fraction, block in plan.groupby("fraction"):
        if gone := sorted(set(block["label"]) - set(block.loc[block["kept"], "label"])):
            found[float(fraction)] = gone
    return found


def notes_on(plan: pd.DataFrame, class_names: Sequence[str]) -> list[str]:
    """What is to be known of a plan that can be carried out, each a sentence without a full stop."""
    return [
        f"removing the lowest {100 * fraction:g} % leaves no training example of the class "
        f"{', '.join(class_names[label] for label in gone)}"
        for fraction, gone in classes_left_empty(plan).items()
    ]


def unpruned_plan(train: pd.DataFrame) -> pd.DataFrame:
    """The plan that keeps everything: empty action, fraction 0."""
    return _block(train, np.ones(len(train), dtype=bool), "", 0.0)


def _block(train: pd.DataFrame, kept: np.ndarray, action: str, fraction: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": train["id"].to_numpy(),
            "action": action,
            "fraction": fraction,
            "kept": kept,
            "label": train["label"].to_numpy(),
            "weight": kept.astype(np.float32),
        }
    )
