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


def definition(norm: str) -> dict[str, Any]:
    return {
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of both norms, to their reports."""
    folder, norms = tmp_path_factory.mktemp("resnet18"), list(METHODS)
    workspace = Workspace(folder, {"experiments": norms, "definitions": {norm: definition(norm) for norm in norms}})
    workspace.run()
    assert workspace.plan() == []
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("norm", METHODS)
def test_resnet18_runs_from_data_to_report(finished: Path, norm: str) -> None:
    rows = pd.read_csv(finished / f"reports/{norm}/comparison.csv")
    variants = {*METHODS[norm], "none", "finetuned", *(f"ip__{kind}__2" for kind in KINDS[norm])}
    assert set(rows["variant"]) == variants
    assert rows["test_accuracy"].notna().all()
    assert rows.loc[rows["variant"] != "none", "noise_auroc"].notna().sum() == len(variants) - 2
    assert "resnet18" in (finished / f"reports/{norm}/index.html").read_text(encoding="utf-8")
