"""What a person meets whose configuration, data or method is wrong."""

import json
from pathlib import Path

import pytest
from made_once import copy_of, finished_run
from workspace import SMALL, Workspace

pytestmark = pytest.mark.slow


def test_a_wrong_configuration_stops_before_any_job(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.configure({**SMALL, "experiments": ["smal"]})
    printed = workspace.run(expect=1)
    assert (
        printed.strip() == 'small.yaml: experiments[0] is "smal"; did you mean "small"? '
        "Known: all_methods, breast_cancer, digits, ensembles, fashion_mnist, mnist5k, mnist5k_symmetric, other, small"
    )
    assert not (tmp_path / "results").exists()


def test_an_experiment_can_be_named_on_the_command_line(tmp_path: Path) -> None:
    jobs = Workspace(tmp_path).plan("--config", "experiments=[digits]")
    assert {job.wildcards["e"] for job in jobs if job.wildcards} == {"digits"}


def test_a_changed_source_file_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "digits.csv.gz").write_bytes(b"not the file")
    workspace = Workspace(tmp_path / "work")
    workspace.configure({**SMALL, "data_dir": str(folder)})
    printed = workspace.run("--", "results/small/data/manifest.json", expect=1)
    assert "SHA-256" in printed
    assert "digits.csv.gz" in printed
    assert "Traceback" not in printed


def test_a_nan_score_stops_the_run_and_names_the_method(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = copy_of(finished_run(tmp_path_factory, "small")[0], tmp_path / "copy")
    workspace.edit("workflow_scripts/heft/methods/loss.py", "return ", "return float('nan') * ")
    printed = workspace.run("--", "results/small/seed0/scores/loss/members.parquet", expect=1)
    assert "loss" in printed
    assert "finite" in printed
    assert "Traceback" not in printed


OWN_MODEL = """
from torch import nn


def build(input_shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(input_shape[1] * input_shape[2], n_classes))
"""


def test_a_model_of_ones_own_is_found_beside_the_configuration(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "my_models.py").write_text(OWN_MODEL)
    small = {**SMALL["definitions"]["small"], "model": "my_models:build"}
    workspace = Workspace(tmp_path / "work")
    workspace.configure({**SMALL, "definitions": {"small": small}})
    (workspace.folder / "small.yaml").rename(elsewhere / "small.yaml")
    (workspace.folder / "small.yaml").symlink_to(elsewhere / "small.yaml")
    workspace.run("--", "results/small/seed0/checkpoints/checkpoints.json")
    facts = json.loads((workspace.folder / "results/small/seed0/checkpoints/checkpoints.json").read_text())
    assert facts["model"]["name"] == "my_models:build"
    (elsewhere / "my_models.py").write_text(OWN_MODEL.replace("nn.Flatten(), ", "nn.Flatten(), nn.Identity(), "))
    plan = workspace.plan("--", "results/small/seed0/checkpoints/checkpoints.json")
    assert {job.rule for job in plan} == {"check_model", "train", "checkpoint"}
