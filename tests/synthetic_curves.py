"""Made-up losses over epochs, precision by recall, and agreement of methods."""

import numpy as np
import pandas as pd
from synthetic_methods import METHODS


def agreement(n_seeds: int = 5) -> pd.DataFrame:
    """Spearman's correlations: the more alike the AUROC, the more alike the ranking."""
    generator = np.random.default_rng(4)
    names = list(METHODS)
    rows = [
        (seed, first, second, 0.97 - abs(METHODS[first][0] - METHODS[second][0]) * 2 + generator.normal(0, 0.01))
        for seed in range(n_seeds)
        for k, first in enumerate(names)
        for second in names[k + 1 :]
    ]
    return pd.DataFrame(rows, columns=["seed", "variant", "other", "spearman"])


def history(n_seeds: int = 5) -> pd.DataFrame:
    epochs = np.arange(1, 21)
    frames = []
    for seed in range(n_seeds):
        wobble = np.random.default_rng(seed).normal(0, 0.01, len(epochs))
        frame = pd.DataFrame(
            {"seed": seed, "run": 0, "epoch": epochs, "train_loss": 0.5 + 1.7 * np.exp(-epochs / 4) + wobble}
        )
        frame["train_accuracy"] = 0.92 - 0.6 * np.exp(-epochs / 4) + wobble
        frame["validation_loss"] = 0.7 + 1.4 * np.exp(-epochs / 3) + 0.004 * epochs + wobble
        frame["validation_accuracy"] = 0.82 - 0.5 * np.exp(-epochs / 3) + wobble
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def precision_recall(n_seeds: int = 5) -> pd.DataFrame:
    recall = np.linspace(0, 1, 101)
    frames = [
        pd.DataFrame(
            {
                "seed": seed,
                "variant": name,
                "recall": recall,
                "precision": 0.3 + 0.7 * (1 - recall ** (1 / (1.02 - auroc) / 3)),
            }
        )
        for seed in range(n_seeds)
        for name, (auroc, _, _) in METHODS.items()
        if name not in ("random", "oracle")
    ]
    return pd.concat(frames, ignore_index=True)
