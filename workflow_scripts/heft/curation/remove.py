"""remove: takes the lowest-scored share of the training split away."""

import numpy as np
import pandas as pd


def kept_after_removal(scores: np.ndarray, fraction: float) -> np.ndarray:
    """True for each example that stays; exactly `round(fraction * n)` leave, lowest scores first, equal ones in order.

    scores: [n], low is detrimental. Returns [n] bool.
    """
    kept = np.ones(len(scores), dtype=bool)
    kept[np.argsort(scores, kind="stable")[: round(fraction * len(scores))]] = False
    return kept


def removal_plan(train: pd.DataFrame, scores: pd.DataFrame, fractions: list[float]) -> pd.DataFrame:
    """One block of rows per fraction: id, action, fraction, kept, label, weight (1 where kept, else 0).

    train: id and label of the training split. scores: id and score, in any order.
    Raises ValueError where an id has no score.
    """
    ordered = scores.set_index("id")["score"].reindex(train["id"])
    if ordered.isna().any():
        raise ValueError(f"no score for id {ordered.index[ordered.isna()][0]}")
    return pd.concat(
        [_block(train, kept_after_removal(ordered.to_numpy(), fraction), "remove", fraction) for fraction in fractions]
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
