"""Worker processes make the batches of a training: the bits of a training without, one sentence where one fails."""

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from augmentation_cases import SEVERAL, examples
from torch import Tensor, nn
from training_cases import SETTINGS, SHAPE, N, model_of

from heft.curation.retrain import retrain
from heft.data.examples import Examples
from heft.data.input_writer import write_inputs
from heft.data.inputs import InputsFile
from heft.data.mapped_inputs import MappedInputs
from heft.data.modalities.images import Images
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.own_module import MODULES_VARIABLE
from heft.seeds import RunSeeds
from heft.training.loader import cpu_seconds, has_work
from heft.training.loop import train_one
from heft.workflow.processes import lives

AUGMENTED = replace(SETTINGS, augmentation=SEVERAL)
WEIGHTS = torch.ones(N).index_fill(0, torch.tensor([2, 3, 5, 7, 11]), 0.0)
TRAIN = replace(examples(torch.float32), modality=Images())
OWN = """
import os, signal, time

from heft.training.augmentations.declare import augmentation

@augmentation()
def failing(shape):
    return lambda picture: picture / "one"

@augmentation()
def killed(shape):
    return lambda picture: os.kill(os.getpid(), signal.SIGKILL)

@augmentation()
def told(shape, *, file: str):
    def write(picture):
        with open(file, "a") as opened:
            opened.write(f"{os.getpid()}\\n")
        time.sleep(0.01)
        return picture
    return write
"""
TRAINS = """
import sys
from dataclasses import replace
from test_workers import SETTINGS, TRAIN, model_of, train_one

settings = replace(SETTINGS, epochs=1000, workers=2, augmentation=[{"my_workers:told": {"file": "told.txt"}}])
train_one(model_of("cnn"), TRAIN, settings, order_seed=1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with augmentations of a person's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_workers.py").write_text(OWN, encoding="utf-8")
    return folder


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as the folder in which the test runs; the processes that draw write their numbers into `told.txt`."""
    monkeypatch.delenv(MODULES_VARIABLE, raising=False)
    monkeypatch.chdir(folder)
    (folder / "told.txt").unlink(missing_ok=True)
    return folder


def of_memory(folder: Path) -> Examples:
    return TRAIN


def of_a_file(folder: Path) -> Examples:
    write_inputs(folder / "inputs.safetensors", TRAIN.inputs.numpy())
    return replace(TRAIN, inputs=MappedInputs(InputsFile(folder / "inputs.safetensors"), np.arange(N), Images()))


def with_dropout() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("inputs", "augmentation"), [(of_memory, SEVERAL), (of_a_file, SEVERAL), (of_a_file, [])])
def test_any_number_of_workers_gives_the_same_bits(
    tmp_path: Path, inputs: Callable[[Path], Examples], augmentation: list[Any], workers: int
) -> None:
    train, settings = inputs(tmp_path), replace(SETTINGS, augmentation=augmentation)
    assert has_work(train, replace(settings, workers=workers))
    for model in (lambda: model_of("cnn"), with_dropout):

        def trained(n_workers: int, model: Callable[[], nn.Module] = model) -> dict[str, Tensor]:
            given = replace(settings, workers=n_workers)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return train_one(model(), train, given, order_seed=1, weights=WEIGHTS)

        before = torch.get_rng_state()
        expected, state = trained(0), trained(workers)
        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_models_that_are_retrained_by_workers_have_the_bits_of_those_without() -> None:
    plan = pd.DataFrame({"id": TRAIN.ids, "action": "remove", "label": TRAIN.labels.numpy()})
    weights = {0.2: WEIGHTS.numpy(), 0.5: 1 - WEIGHTS.numpy()}
    plan = pd.concat([plan.assign(fraction=share, weight=weights[share]) for share in weights])
    spec, seeds = ModelSpec("cnn", {}, SHAPE, 3), RunSeeds(1, 2)
    alone, made = (retrain(spec, TRAIN, plan, replace(AUGMENTED, workers=workers), seeds)[0] for workers in (0, 2))
    assert all(torch.equal(made[name], alone[name]) for name in alone)


def test_workers_are_other_processes_whose_seconds_count(own: Path) -> None:
    told: Any = {"my_workers:told": {"file": str(own / "told.txt")}}
    settings, before = replace(SETTINGS, epochs=1, workers=2, augmentation=["rotation", told]), cpu_seconds()
    began = time.process_time()
    train_one(model_of("cnn"), TRAIN, settings, order_seed=1)
    taken, own_seconds = cpu_seconds() - before, time.process_time() - began
    processes = _told(own)
    assert len(processes - {os.getpid()}) == len(processes) == 2
    assert not any(map(lives, processes))
    assert taken > own_seconds


def test_workers_stay_away_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    assert not has_work(TRAIN, replace(SETTINGS, workers=2))
    assert not has_work(of_a_file(tmp_path), AUGMENTED)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_persons_augmentation_is_the_same_sentence(own: Path, workers: int) -> None:
    settings = replace(SETTINGS, workers=workers, augmentation=["my_workers:failing"])
    said = r"^training.augmentation fails on pictures of shape \[1, 8, 8\]: TypeError: .* \(.*my_workers.py, line 8\).$"
    with pytest.raises(HeftError, match=said):
        train_one(model_of("cnn"), TRAIN, settings, order_seed=1)


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    train, file = of_a_file(tmp_path), tmp_path / "inputs.safetensors"
    content = bytearray(file.read_bytes())
    content[-200] ^= 1
    file.write_bytes(content)
    with pytest.raises(HeftError, match=r"inputs\.safetensors"):
        train_one(model_of("cnn"), train, replace(SETTINGS, workers=1), order_seed=1)


def test_a_worker_that_is_killed_is_a_sentence(own: Path) -> None:
    settings = replace(SETTINGS, workers=2, augmentation=["my_workers:killed"])
    with pytest.raises(HeftError, match=r"^a worker process of the training was killed, .* fewer training.workers"):
        train_one(model_of("cnn"), TRAIN, settings, order_seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_process_that_trains(own: Path, number: int) -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINS], cwd=own, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    _wait(lambda: len(_told(own)) == 2)
    training.send_signal(number)
    assert training.wait(30) == -number
    _wait(lambda: not any(map(lives, _told(own))))


def _told(folder: Path) -> set[int]:
    """The numbers of the processes that drew."""
    file = folder / "told.txt"
    return {int(line) for line in file.read_text().splitlines()} if file.is_file() else set()


def _wait(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)
