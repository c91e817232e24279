"""ResNet-18, narrow, through the whole workflow: both norms, and the methods and ensembles that use its state."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workspace import Workspace

BATCH = ["random", "confident_learning", "trusted_loss", "ip", "if_cg"]
METHODS = {"batch": BATCH, "group": [*BATCH, "loss", "el2n", "aum", "self_ip", "tracin"]}
FEW = ["parameter_dropout", "checkpoints"]
KINDS = {"batch": FEW, "group": [*FEW, "gaussian", "activation_dropout", "seeds"]}


def settings(norm: str) -> dict[str, Any]:
    definition = {
        "seeds": [0],
        "data": {"source": "digits", "train": 97, "validation": 60, "test": 80},  # a last batch of one example
        "model": {"resnet18": {"width": 4, "norm": norm}},
        "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.05},
        "fine_tuning": {"epochs": 1},
        "checkpoints": {"spaced": 2, "early": 1},
        "methods": METHODS[norm],
        "baselines": ["finetuned"],
        "ensembles": [{"kind": kind, "sizes": [2], "methods": ["ip"]} for kind in KINDS[norm]],
        "fractions": [0.3],
    }
    return {"experiments": ["small"], "definitions": {"small": definition}}


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["group", "batch"])
def test_resnet18_runs_from_data_to_report(tmp_path: Path, norm: str) -> None:
    workspace = Workspace(tmp_path, settings(norm))
    workspace.run()
    rows = pd.read_csv(tmp_path / "reports/small/comparison.csv")
    variants = {*METHODS[norm], "none", "finetuned", *(f"ip__{kind}__2" for kind in KINDS[norm])}
    assert set(rows["variant"]) == variants
    assert rows["test_accuracy"].notna().all()
    assert rows.loc[rows["variant"] != "none", "noise_auroc"].notna().sum() == len(variants) - 2
    assert "resnet18" in (tmp_path / "reports/small/index.html").read_text(encoding="utf-8")
    assert workspace.plan() == []
