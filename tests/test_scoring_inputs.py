"""What a scorer is handed: each trained model under the number and the role that its folder says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from own_further_files import write_files
from plain_training import SPEC, examples

from heft.artifacts import write_parquet
from heft.auxiliary.folds import draw_folds
from heft.ensembles.members import TrainedModels
from heft.own_module import MODULES_VARIABLE
from heft.training.checkpoints import Checkpoints, Run, SavedState, write_checkpoints
from heft.training.dynamics import dynamics_of_epoch
from heft.workflow.results.scoring_inputs import folders_by_kind, load_trained

TRAIN = examples()
SCORER = {"method": "trak", "options": {"models": 2}, "ensemble": "seeds"}


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
        "folds": {"group3": {16: 231, 15: 230, 17: 232}, "group0": {0: 200}},
        "subsets": {"group0": {0: 300, 1: 301}, "group1": {7: 307}},
        "fine_tunes": {"group0": {0: 400}, "group2": {2: 402}},
    }
    files: dict[str, Any] = {"checkpoints": base, "dynamics": [], "auxiliary": []}
    for kind, groups in marked.items():
        for group, runs in groups.items():
            files["auxiliary"] += write_runs(folder / kind / group, runs)
    for number, recorded in enumerate(((0,), (2, 5))):
        table = pd.concat([dynamics_table(run, epochs=2) for run in recorded])
        write_parquet(folder / f"dynamics{number}.parquet", table)
        files["dynamics"].append(folder / f"dynamics{number}.parquet")
    return load_trained(SimpleNamespace(**files), SCORER, TRAIN, seed=6)


def test_seeds_and_the_base_model_are_runs_by_member(loaded: TrainedModels) -> None:
    assert {number: marks([run]) for number, run in loaded.runs.items()} == {0: [100], 1: [101], 2: [102], 5: [105]}


def test_folds_are_in_the_order_of_their_numbers_with_the_parts_that_they_held_out(loaded: TrainedModels) -> None:
    folds = loaded.auxiliary["folds"]
    marked = {member: marks(model.run for model in models) for member, models in folds.items()}
    assert marked == {3: [230, 231, 232], 0: [200]}
    fold_of = draw_folds(TRAIN.labels, None, 6, 3)
    assert all(torch.equal(model.held_out, fold_of == fold) for fold, model in enumerate(folds[3]))


def test_subsets_belong_to_members_as_the_option_of_the_method_says(loaded: TrainedModels) -> None:
    subsets = loaded.auxiliary["subsets"]
    marked = {member: marks(model.run for model in models) for member, models in subsets.items()}
    assert marked == {0: [300, 301], 3: [307]}
    assert [int(model.held_out.sum()) for model in subsets[0]] == [len(TRAIN) - len(TRAIN) // 2] * 2


def test_fine_tunes_belong_to_the_member_of_their_number(loaded: TrainedModels) -> None:
    tuned = loaded.auxiliary["fine_tuned"]
    assert {member: marks(model.run for model in models) for member, models in tuned.items()} == {0: [400], 2: [402]}
    assert not any(model.held_out.any() for models in tuned.values() for model in models)


def test_dynamics_leave_the_initial_state_out_and_belong_to_their_run(loaded: TrainedModels) -> None:
    assert set(loaded.dynamics) == {0, 2, 5}
    for run, dynamics in loaded.dynamics.items():
        assert dynamics.label_logit.mean(1).tolist() == [run + 1, run + 2]
        assert dynamics.margin.abs().max() == 0


def test_nothing_is_loaded_where_nothing_is_needed(tmp_path: Path) -> None:
    base, *_ = write_runs(tmp_path, {0: 1})
    files = SimpleNamespace(checkpoints=base, auxiliary=[], dynamics=[])
    trained = load_trained(files, SCORER, TRAIN, seed=0)
    assert (list(trained.runs), trained.auxiliary, trained.dynamics) == ([0], {}, {})


def test_a_folder_is_named_once_under_its_kind() -> None:
    files = ["a/seeds/group1/x", "a/folds/group0/x", "a/seeds/group1/y", "a/seeds/group0/y"]
    folders = folders_by_kind(files)
    assert folders == {"seeds": [Path("a/seeds/group1"), Path("a/seeds/group0")], "folds": [Path("a/folds/group0")]}


def test_members_of_a_persons_own_kind_stand_beside_the_trained_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    base, *_ = write_runs(tmp_path / "checkpoints", {0: 100})
    further = write_runs(tmp_path / "auxiliary/my_kinds.Bags/group0", {0: 500, 1: 501})
    files = SimpleNamespace(checkpoints=base, auxiliary=further, dynamics=[])
    scorer = {"method": "loss", "options": {}, "ensemble": "my_members:bagged"}
    trained = load_trained(files, scorer, TRAIN, seed=0)
    assert marks(trained.runs[number] for number in sorted(trained.runs)) == [100, 501]
    assert trained.auxiliary == {}
