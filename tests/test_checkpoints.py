"""Saved states: roles, files, and what is refused."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from heft.artifacts import read_json, read_tensors, write_json, write_tensors
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.training.checkpoints import (
    Checkpoints,
    Run,
    SavedState,
    load_checkpoints,
    load_states,
    sha256_of_state,
    write_checkpoints,
    write_states,
)
from heft.training.roles import Kept, keep_selected, select_roles
from heft.training.settings import CheckpointSettings

SPEC = ModelSpec("logistic", {}, [1, 2, 2], 2)


def history_of(losses: list[float], run: int = 0) -> pd.DataFrame:
    """The initial state, then one epoch a loss."""
    return pd.DataFrame({"run": run, "epoch": range(len(losses) + 1), "validation_loss": [0.0, *losses]})


def checkpoints_of(*numbers: int, n_epochs: int = 20) -> Checkpoints:
    runs = {
        number: Run(
            {
                epoch: SavedState(epoch, 10 * epoch, 0.1 / (epoch + 1), SPEC.build(100 * number + epoch).state_dict())
                for epoch in range(n_epochs + 1)
            },
            cpu_seconds=1.5,
        )
        for number in numbers
    }
    return Checkpoints(SPEC, runs, cpu_seconds=1.5 * len(numbers))


def selected(*numbers: int, latest: int = 0) -> Checkpoints:
    history = pd.concat([history_of([3.0, 1.0, 2.0, *[4.0] * 17], number) for number in numbers])
    return keep_selected(checkpoints_of(*numbers), history, CheckpointSettings(), Kept(latest=latest))


def test_roles_of_twenty_epochs() -> None:
    history = history_of([3.0, 2.0, 1.0, 1.0, *[5.0] * 16])
    roles = select_roles(CheckpointSettings(), 20, history)
    assert roles == {
        "final": [20],
        "spaced": [4, 8, 12, 16, 20],
        "early": [1, 2, 3, 4, 5],
        "best": [3],
        "last": [20],
        "every": list(range(1, 21)),
    }
    assert select_roles(CheckpointSettings(final="best"), 20, history)["final"] == [3]


def test_the_latest_states_are_kept_where_an_ensemble_asks_for_them() -> None:
    assert set(selected(0, latest=4).runs[0].states) == set(selected(0).runs[0].states) | {17, 18, 19, 20}


def test_more_states_than_epochs_are_never_asked_for() -> None:
    roles = select_roles(CheckpointSettings(spaced=5, early=5), 3, history_of([1.0, 2.0, 3.0]))
    assert roles["spaced"] == roles["early"] == [1, 2, 3]


def test_the_initial_state_is_never_the_best() -> None:
    assert select_roles(CheckpointSettings(), 2, history_of([2.0, 1.0]))["best"] == [2]


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_the_first_epoch_may_be_the_best(n_epochs: int) -> None:
    history = history_of([1.0, 2.0, 3.0][:n_epochs]).sample(frac=1.0, random_state=0)
    roles = select_roles(CheckpointSettings(final="best"), n_epochs, history)
    assert roles["best"] == roles["final"] == [1]


def test_only_needed_epochs_are_kept_and_come_back_bit_for_bit(tmp_path: Path) -> None:
    write_checkpoints(tmp_path, selected(0))
    loaded = load_checkpoints(tmp_path)
    assert list(loaded.runs[0].states) == [1, 2, 3, 4, 5, 8, 12, 16, 20]
    assert loaded.model == SPEC
    assert [saved.epoch for saved in loaded.runs[0].role("spaced")] == [4, 8, 12, 16, 20]
    for epoch, saved in loaded.runs[0].states.items():
        original = checkpoints_of(0).runs[0].states[epoch]
        assert (saved.step, saved.learning_rate) == (original.step, original.learning_rate)
        assert all(torch.equal(saved.state[name], original.state[name]) for name in original.state)
    assert loaded.runs[0].final.epoch == 20
    assert set(read_tensors(tmp_path / "states.safetensors")) >= {"0/20/1.weight", "0/20/1.bias"}


def test_the_index_says_what_the_contract_of_the_chain_says(tmp_path: Path) -> None:
    write_checkpoints(tmp_path, selected(0))
    facts = read_json(tmp_path / "checkpoints.json")
    assert set(facts) == {"model", "cpu_seconds", "runs"}
    assert set(facts["runs"]["0"]) == {"states", "roles", "cpu_seconds"}
    assert set(facts["runs"]["0"]["states"][0]) == {"epoch", "step", "learning_rate", "sha256"}


def test_every_epoch_of_the_train_stage_comes_back(tmp_path: Path) -> None:
    write_states(tmp_path, checkpoints_of(0))
    assert list(load_states(tmp_path).runs[0].states) == list(range(21))


def test_runs_of_several_folders_are_one_set(tmp_path: Path) -> None:
    for folder, numbers in {"base": (0,), "group0": (1, 2)}.items():
        write_checkpoints(tmp_path / folder, selected(*numbers))
    loaded = load_checkpoints(tmp_path / "base", tmp_path / "group0")
    assert sorted(loaded.runs) == [0, 1, 2]
    assert loaded.cpu_seconds == pytest.approx(4.5)


def test_the_hash_covers_name_shape_and_bytes() -> None:
    weight = torch.tensor([1.0, 2.0])
    digest, *others = (
        sha256_of_state(state)
        for state in ({"a": weight}, {"b": weight}, {"a": weight[:, None]}, {"a": weight + 1}, {"a": weight.int()})
    )
    assert digest not in others
    content = b"a torch.float32 [2]\n" + np.array([1, 2], np.float32).tobytes()
    assert digest == hashlib.sha256(content).hexdigest()


def test_a_changed_state_is_refused_with_file_run_and_epoch(tmp_path: Path) -> None:
    write_checkpoints(tmp_path, selected(0))
    tensors = read_tensors(tmp_path / "states.safetensors")
    tensors["0/8/1.weight"] = tensors["0/8/1.weight"] + 1e-7
    write_tensors(tmp_path / "states.safetensors", tensors)
    with pytest.raises(HeftError, match=r"states\.safetensors: the state of run 0, epoch 8, was changed"):
        load_checkpoints(tmp_path)


def test_a_missing_state_is_refused_with_file_run_and_epoch(tmp_path: Path) -> None:
    write_checkpoints(tmp_path, selected(0))
    tensors = read_tensors(tmp_path / "states.safetensors")
    write_tensors(tmp_path / "states.safetensors", {k: v for k, v in tensors.items() if not k.startswith("0/8/")})
    with pytest.raises(HeftError, match="run 0, epoch 8, is missing"):
        load_checkpoints(tmp_path)


@pytest.mark.parametrize("name", ["states.safetensors", "checkpoints.json"])
def test_a_missing_or_truncated_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    write_checkpoints(tmp_path, selected(0))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(HeftError, match=name):
        load_checkpoints(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(HeftError, match=f"{name} is missing"):
        load_checkpoints(tmp_path)


def test_a_hash_edited_in_the_index_is_refused(tmp_path: Path) -> None:
    write_checkpoints(tmp_path, replace(selected(0)))
    facts = read_json(tmp_path / "checkpoints.json")
    facts["runs"]["0"]["states"][0]["sha256"] = "0" * 64
    write_json(tmp_path / "checkpoints.json", facts)
    with pytest.raises(HeftError, match="SHA-256 expected 0000"):
        load_checkpoints(tmp_path)
