"""How well low scores find examples whose label is known to be wrong."""

import numpy as np
import pandas as pd

from heft.curation.ranking import lowest_first

RECALL_GRID = np.linspace(0.0, 1.0, 101)


def detection_quality(scores: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """noise_auroc and noise_ap of "low score = wrong label"; empty where no label, or every one, is wrong.

    scores: [n], low is detrimental. wrong: [n] bool. Equal scores count half (AUROC) and enter together (AP), as
    scikit-learn does; its import would take longer than the job.
    """
    n_wrong, n_right = int(wrong.sum()), int((~wrong).sum())
    if not n_wrong or not n_right:
        return {}
    ranks = pd.Series(-scores).rank().to_numpy()
    auroc = (ranks[wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * n_right)
    precision, recall = _precision_recall(scores, wrong)
    average_precision = np.sum(np.diff(recall, prepend=0.0) * precision)
    return {"noise_auroc": float(auroc), "noise_ap": float(average_precision)}


def removal_quality(kept: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """noise_precision and noise_recall of what was removed; a value is left out where its divisor is 0."""
    caught, removed, total = int((wrong & ~kept).sum()), int((~kept).sum()), int(wrong.sum())
    values = {"noise_precision": (caught, removed), "noise_recall": (caught, total)}
    return {name: above / below for name, (above, below) in values.items() if below}


def inspection_quality(scores: np.ndarray, wrong: np.ndarray, ties: np.ndarray) -> dict[str, float]:
    """Of a person who inspects as many examples as are wrong, lowest scores first; `ties` [n] orders equal ones.

    noise_n_wrong; noise_precision_inspected, share of the inspected that are wrong; noise_recall_inspected, share of
    the wrong that are inspected (the same number, since both divide by n_wrong); noise_missed_inspected, how many wrong
    ones are not among them (false negatives). Empty where no label, or every one, is wrong.
    """
    n_wrong = int(wrong.sum())
    if not 0 < n_wrong < len(wrong):
        return {}
    inspected = lowest_first(scores, ties)[:n_wrong]
    caught = int(wrong[inspected].sum())
    return {
        "noise_n_wrong": n_wrong,
        "noise_precision_inspected": caught / len(inspected),
        "noise_recall_inspected": caught / n_wrong,
        "noise_missed_inspected": n_wrong - caught,
    }


def precision_at_recall(scores: np.ndarray, wrong: np.ndarray) -> dict[str, list[float]] | None:
    """Precision at each recall of a fixed grid: the best that any threshold with at least that recall reaches.

    None where no label, or every one, is wrong.
    """
    if not 0 < wrong.sum() < len(wrong):
        return None
    precision, recall = _precision_recall(scores, wrong)
    best = [float(precision[recall >= level - 1e-12].max()) for level in RECALL_GRID]
    return {"recall": RECALL_GRID.round(2).tolist(), "precision": best}


def _precision_recall(scores: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at each distinct score as threshold, recall ascending."""
    order = np.argsort(scores, kind="stable")
    last_of_equals = np.append(np.diff(scores[order]) > 0, True)
    caught = np.cumsum(wrong[order])[last_of_equals]
    flagged = np.arange(1, len(scores) + 1)[last_of_equals]
    return caught / flagged, caught / wrong.sum()
