"""remove: takes the lowest-scored share of the training split away."""

import numpy as np
import pandas as pd

from heft.curation.ranking import lowest_first, tie_break


def kept_after_removal(scores: np.ndarray, ties: np.ndarray, fraction: float) -> np.ndarray:
    """True for each example that stays; exactly `round(fraction * n)` leave, lowest scores first.

    scores: [n], low is detrimental. ties: [n], which of equal ones leaves first. Returns [n] bool.
    """
    kept = np.ones(len(scores), dtype=bool)
    kept[lowest_first(scores, ties)[: round(fraction * len(scores))]] = False
    return kept


def removal_plan(train: pd.DataFrame, scores: pd.DataFrame, fractions: list[float], seed: int) -> pd.DataFrame:
    """One block of rows per fraction: id, action, fraction, kept, label, weight (1 where kept, else 0).

    train: id and label of the training split. scores: id and score, in any order. The seed decides which of equally
    scored examples leave. Raises ValueError where an id has no score.
    """
    ordered = scores.set_index("id")["score"].reindex(train["id"])
    if ordered.isna().any():
        raise ValueError(f"no score for id {ordered.index[ordered.isna()][0]}")
    values, ties = ordered.to_numpy(), tie_break(train["id"].to_numpy(dtype=str), seed)
    return pd.concat(
        [_block(train, kept_after_removal(values, ties, fraction), "remove", fraction) for fraction in fractions]
    )


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
