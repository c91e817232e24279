"""A job whose device is a GPU asks for one, runs in a process of its own, and gets one that no other job holds."""

import os
import platform
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_config import changed, load
from workspace import ROOT

from heft.errors import HeftError
from heft.workflow.runtime import gpu
from heft.workflow.runtime.launch import ALONE, ONE_GPU, command


@pytest.fixture
def four_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of four GPUs, as NVIDIA's driver shows them, and a project's folder."""
    for number in range(4):
        (tmp_path / "driver" / f"0000:0{number}:00.0").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gpu, "DRIVER", tmp_path / "driver")
    monkeypatch.setenv(gpu.VISIBLE, "gone")
    monkeypatch.delenv(gpu.VISIBLE)


@pytest.mark.usefixtures("four_gpus")
def test_the_visible_gpus_are_those_of_the_driver_or_those_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert gpu.visible_gpus() == ["0", "1", "2", "3"]
    for named, visible in (("2, 3", ["2", "3"]), ("", []), ("-1", []), ("1,-1,2", ["1"]), ("GPU-8a", ["GPU-8a"])):
        monkeypatch.setenv(gpu.VISIBLE, named)
        assert gpu.visible_gpus() == visible


@pytest.mark.usefixtures("four_gpus")
def test_a_job_asks_for_one_gpu_where_its_device_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert [gpu.gpus_of_a_job(device) for device in ("cpu", "cuda", "mps", "auto")] == [0, 1, 1, 1]
    monkeypatch.setattr(gpu, "DRIVER", Path("nowhere"))
    assert [gpu.gpus_of_a_job(device) for device in ("cpu", "cuda", "mps", "auto")] == [0, 1, 1, 0]


@pytest.mark.usefixtures("four_gpus")
def test_each_job_gets_a_gpu_that_none_beside_it_holds_and_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def holding() -> str:
        monkeypatch.delenv(gpu.VISIBLE, raising=False)
        stack.enter_context(gpu.gpu_of_its_own())
        return os.environ.get(gpu.VISIBLE, "all")

    with ExitStack() as stack:
        assert [holding() for _ in range(5)] == ["0", "1", "2", "3", "all"]
    with ExitStack() as stack:
        assert holding() == "0"


@pytest.mark.usefixtures("four_gpus")
def test_a_gpu_that_a_cluster_has_given_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpu.VISIBLE, "3")
    with gpu.gpu_of_its_own():
        assert os.environ[gpu.VISIBLE] == "3"


@pytest.mark.parametrize(
    ("resources", "words"),
    [({"gpu": 0}, []), ({"gpu": 1}, [ALONE, ONE_GPU]), ({"gpu": 2}, [ALONE]), ({"gres": "gpu:1"}, [ALONE])],
)
def test_only_a_job_that_asks_for_a_gpu_runs_alone_and_only_one_that_asks_for_one_is_kept_to_it(
    resources: dict[str, object], words: list[str]
) -> None:
    assert command("train", ["a.log"], "train.py", resources)[5:] == words


def test_the_rules_that_compute_ask_for_a_gpu_and_know_the_device() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "rules").glob("*.smk")))
    parts = re.split(r"(?m)^rule (\w+):", text)
    rules = dict(zip(parts[1::2], parts[2::2], strict=True))
    asking = {name for name, body in rules.items() if "\n        gpu=gpus,\n" in body}
    computing = {"check_model", "train", "auxiliary", "score_members", "out_of_fold", "retrain", "baseline", "evaluate"}
    assert asking == computing
    assert {name for name, body in rules.items() if "\n        device=device,\n" in body} == asking


@pytest.mark.parametrize("device", ["cpu", "auto", "mps"])
def test_a_precision_of_cuda_is_refused_for_another_device(device: str) -> None:
    with pytest.raises(HeftError, match=f"precision is tf32, which is for cuda, but device is {device}; set device to"):
        load(changed("definitions.mnist5k", {"device": device, "precision": "tf32"}))
    plan = load(changed("definitions.mnist5k", {"device": "cuda", "precision": "tf32"}))
    assert plan.settings("mnist5k")["precision"] == "tf32"


def test_an_unknown_device_is_one_sentence() -> None:
    with pytest.raises(HeftError, match=r'defaults.device is "gpu"; .*auto, cpu, cuda, mps'):
        load(changed("defaults.device", "gpu"))
