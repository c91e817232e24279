"""How well low scores find examples whose label is known to be wrong."""

import numpy as np

RECALL_GRID = np.linspace(0.0, 1.0, 101)


def detection_quality(scores: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """noise_auroc and noise_ap of "low score = wrong label"; empty where no label, or every one, is wrong.

    scores: [n], low is detrimental. wrong: [n] bool.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    if not 0 < wrong.sum() < len(wrong):
        return {}
    return {
        "noise_auroc": float(roc_auc_score(wrong, -scores)),
        "noise_ap": float(average_precision_score(wrong, -scores)),
    }


def removal_quality(kept: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """noise_precision and noise_recall of what was removed; a value is left out where its divisor is 0."""
    caught, removed, total = int((wrong & ~kept).sum()), int((~kept).sum()), int(wrong.sum())
    values = {"noise_precision": (caught, removed), "noise_recall": (caught, total)}
    return {name: above / below for name, (above, below) in values.items() if below}


def precision_at_recall(scores: np.ndarray, wrong: np.ndarray) -> dict[str, list[float]] | None:
    """Precision at each recall of a fixed grid: the best that any threshold with at least that recall reaches.

    None where no label, or every one, is wrong.
    """
    from sklearn.metrics import precision_recall_curve

    if not 0 < wrong.sum() < len(wrong):
        return None
    precision, recall, _ = precision_recall_curve(wrong, -scores)
    best = [float(precision[recall >= level - 1e-12].max()) for level in RECALL_GRID]
    return {"recall": RECALL_GRID.round(2).tolist(), "precision": best}
