"""What a scorer is handed: each trained model under the number and the role that its folder says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from plain_training import SPEC, examples

from heft.artifacts import write_parquet
from heft.auxiliary.folds import draw_folds
from heft.ensembles.members import TrainedModels
from heft.training.checkpoints import Checkpoints, Run, SavedState, write_checkpoints
from heft.training.dynamics import dynamics_of_epoch
from heft.workflow.results.scoring_inputs import folders_of, load_trained

TRAIN = examples()


def state(number: int) -> dict[str, torch.Tensor]:
    """Parameters that tell which model they are of."""
    return {name: torch.full_like(tensor, float(number)) for name, tensor in SPEC.build(0).state_dict().items()}


def marks(runs: Any) -> list[float]:
    return [float(run.final.state["1.bias"][0]) for run in runs]


def write_runs(folder: Path, numbers: dict[int, int]) -> list[str]:
    """The files of a folder with these runs, each with its mark."""
    runs = {
        number: Run({1: SavedState(1, 3, 0.1, state(mark))}, {"final": [1]}, 1.0) for number, mark in numbers.items()
    }
    write_checkpoints(folder, Checkpoints(SPEC, runs, len(runs)))
    return [str(folder / "checkpoints.json"), str(folder / "states.safetensors")]


def dynamics_table(run: int, epochs: int) -> pd.DataFrame:
    logits = torch.zeros(len(TRAIN), 3) + run
    return pd.concat(
        [dynamics_of_epoch(run, TRAIN.ids, epoch, logits + epoch, TRAIN.labels) for epoch in range(epochs + 1)]
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> TrainedModels:
    folder = tmp_path_factory.mktemp("models")
    base, *_ = write_runs(folder / "checkpoints", {0: 100})
    marked: dict[str, dict[str, dict[int, int]]] = {
        "seeds": {"group0": {2: 102, 1: 101}, "group1": {5: 105}},
        "folds": {"group3": {1: 231, 0: 230, 2: 232}, "group0": {0: 200}},
        "subsets": {"group0": {0: 300, 1: 301}, "group1": {7: 307}},
        "fine_tunes": {"group0": {0: 400}, "group2": {2: 402}},
    }
    files: dict[str, Any] = {"checkpoints": base, "dynamics": []}
    for kind, groups in marked.items():
        files[kind] = [file for group, runs in groups.items() for file in write_runs(folder / kind / group, runs)]
    for number, recorded in enumerate(((0,), (2, 5))):
        table = pd.concat([dynamics_table(run, epochs=2) for run in recorded])
        write_parquet(folder / f"dynamics{number}.parquet", table)
        files["dynamics"].append(folder / f"dynamics{number}.parquet")
    return load_trained(SimpleNamespace(**files), TRAIN, seed=6)


def test_seeds_and_the_base_model_are_runs_by_member(loaded: TrainedModels) -> None:
    assert {number: marks([run]) for number, run in loaded.runs.items()} == {0: [100], 1: [101], 2: [102], 5: [105]}


def test_folds_are_in_the_order_of_their_numbers_with_the_parts_that_they_held_out(loaded: TrainedModels) -> None:
    assert {member: marks(runs) for member, runs in loaded.folds.items()} == {3: [230, 231, 232], 0: [200]}
    for member in (0, 3):
        assert torch.equal(loaded.fold_of[member], draw_folds(TRAIN.labels, 6, member))


def test_subsets_and_fine_tunes_have_their_own_numbers(loaded: TrainedModels) -> None:
    assert {number: marks([run]) for number, run in loaded.subsets.items()} == {0: [300], 1: [301], 7: [307]}
    assert {member: marks([run]) for member, run in loaded.fine_tuned.items()} == {0: [400], 2: [402]}


def test_dynamics_leave_the_initial_state_out_and_belong_to_their_run(loaded: TrainedModels) -> None:
    assert set(loaded.dynamics) == {0, 2, 5}
    for run, found in loaded.dynamics.items():
        assert found.label_logit.mean(1).tolist() == [run + 1, run + 2]
        assert found.margin.abs().max() == 0


def test_nothing_is_loaded_where_nothing_is_needed(tmp_path: Path) -> None:
    base, *_ = write_runs(tmp_path, {0: 1})
    lists: dict[str, Any] = {name: [] for name in ("seeds", "folds", "subsets", "fine_tunes", "dynamics")}
    found = load_trained(SimpleNamespace(checkpoints=base, **lists), TRAIN, seed=0)
    assert [len(part) for part in (found.folds, found.fold_of, found.subsets, found.fine_tuned, found.dynamics)] == [
        0
    ] * 5


def test_a_folder_is_named_once_in_the_order_of_its_files() -> None:
    assert folders_of(["b/x", "a/x", "b/y"]) == [Path("b"), Path("a")]
