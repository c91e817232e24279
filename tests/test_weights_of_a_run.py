"""What a training starts from and is made by: weights and files that the configuration names; an edit trains again."""

import os
import time
from pathlib import Path

import pytest
import torch

from heft.errors import HeftError
from heft.workflow.configuration.settings import load_configuration
from heft.workflow.planning.code import stage_code
from heft.workflow.planning.plan import Plan, load_plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders: the project, where the process is, and that of the configuration, which has weights."""
    (tmp_path / "project").mkdir()
    (tmp_path / "beside").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    write(tmp_path / "beside" / "start.pt", 1.0)
    return tmp_path


def write(file: Path, value: float) -> None:
    torch.save({"1.weight": torch.full((2, 4), value), "1.bias": torch.zeros(2)}, file)


def plan_of(folder: Path, weights: str) -> Plan:
    data = {"source": "digits", "train": 90, "validation": 40, "test": 60}
    asked = {"data": data, "model": {"logistic": {"weights": weights, "frozen": ["1.bias"]}}}
    raw = {"experiments": ["mine"], "definitions": {"mine": asked}}
    return load_plan(raw, [folder / "beside" / "mine.yaml"])


def test_a_file_beside_the_configuration_is_found_from_the_project(folder: Path) -> None:
    plan = plan_of(folder, "start.pt")
    expected = {"weights": str(folder / "beside" / "start.pt"), "frozen": ["1.bias"]}
    assert plan.model("mine") == {"name": "logistic", "options": expected}
    with pytest.raises(HeftError, match=r'definitions.mine.model.logistic.weights is "other.pt", which is in none of'):
        plan_of(folder, "other.pt")


def test_other_weights_train_and_score_again_and_a_touch_does_not(folder: Path) -> None:
    def code(script: str, model: bool = True) -> dict[str, str]:
        return stage_code(plan_of(folder, "start.pt"), "mine", script, model=model)

    stages = ("train", "retrain", "score_members")
    before = [code(stage) for stage in stages]
    later = time.time() + 100
    os.utime(folder / "beside" / "start.pt", (later, later))
    assert [code(stage) for stage in stages] == before
    split = code("split", model=False)
    write(folder / "beside" / "start.pt", 2.0)
    for stage, then in zip(stages, before, strict=True):
        now = code(stage)
        assert {key for key in now if now[key] != then[key]} == {"start.pt"}
    assert code("split", model=False) == split


def test_an_edit_of_what_training_names_trains_again(folder: Path) -> None:
    (folder / "beside" / "my_rates.py").write_text(
        "from heft.training.schedules.declare import schedule\n\n\n"
        "@schedule()\ndef line(progress):\n    return 1 - progress.step / progress.n_steps\n",
        encoding="utf-8",
    )
    training = {"optimiser": "adamw", "schedule": "my_rates:line", "augmentation": ["rotation"]}
    raw = {"experiments": ["mine"], "definitions": {"mine": {"training": training}}}
    plan = load_plan(raw, [folder / "beside" / "mine.yaml"])
    followed = set(stage_code(plan, "mine", "train", training=True))
    of_training = {f"heft.training.{name}" for name in ("optimisers.adamw", "augmentations.rotation")}
    assert {*of_training, "my_rates.py"} <= followed
    assert not {"heft.training.optimisers.sgd", "heft.training.schedules.cosine"} & followed
    assert not of_training & set(stage_code(plan, "mine", "split"))


def test_default_is_no_path() -> None:
    asked = {"model": {"torchvision": {"name": "resnet18", "weights": "default"}}}
    _, settings = load_configuration({"experiments": ["mine"], "definitions": {"mine": asked}})
    assert settings["mine"].model == asked["model"]
    plan = load_plan({"experiments": ["mine"], "definitions": {"mine": asked}}, [])
    assert plan.model("mine")["options"]["weights"] == "default"
