"""One real run on digits: the files it makes, what it prints, and the errors a person meets."""

import json
from pathlib import Path

import pandas as pd
import pytest
from made_once import copy_of, finished_run
from workspace import Workspace

from heft.evaluation.columns import COLUMNS, KEY

pytestmark = pytest.mark.slow

UNSCORED = {"none", "finetuned"}


VARIANTS = UNSCORED | {
    "random",
    "oracle",
    "loss",
    "ip",
    "if_cg-damping_0.2",
    "ip__parameter_dropout__2",
    "ip__parameter_dropout__3",
    "loss__seeds__2",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace after one run, and what the run printed."""
    workspace, printed = finished_run(tmp_path_factory, "small")
    return copy_of(workspace, tmp_path_factory.mktemp("run") / "copy"), printed


@pytest.fixture(scope="module")
def comparison(finished: tuple[Workspace, str]) -> pd.DataFrame:
    return pd.read_csv(finished[0].folder / "reports/small/comparison.csv")


def test_a_run_prints_one_line_a_job_and_the_report(finished: tuple[Workspace, str]) -> None:
    lines = finished[1].strip().splitlines()
    total = int(lines[0].split()[0])
    assert lines[0] == f"{total} jobs"
    assert len(lines) == total + 2, finished[1]
    assert lines[-1] == "Report: reports/small/index.html"
    assert "warning" not in finished[1].lower()


def test_the_same_command_again_does_nothing(finished: tuple[Workspace, str]) -> None:
    assert finished[0].run().strip() == "Nothing to be done; up to date: reports/small/index.html"


def test_the_comparison_has_every_row_once_and_only_finite_numbers(comparison: pd.DataFrame) -> None:
    assert tuple(comparison.columns) == COLUMNS
    assert not comparison.duplicated(list(KEY)).any()
    assert set(comparison["variant"]) == VARIANTS
    assert len(comparison) == 2 * (len(UNSCORED) + 2 * len(VARIANTS - UNSCORED))
    removed = comparison[comparison["action"] == "remove"]
    assert set(zip(removed["fraction"], removed["n_removed"], strict=True)) == {(0.1, 60), (0.3, 180)}
    assert comparison.loc[comparison["val_loss"].isna(), "variant"].unique().tolist() == ["finetuned"]
    for column in ("test_loss", "test_accuracy", "retrain_cpu_seconds"):
        assert comparison[column].notna().all(), column
    for column in (
        "noise_precision",
        "noise_recall",
        "noise_auroc",
        "noise_ap",
        "score_cpu_seconds",
        "score_peak_mb",
        "forward_passes",
    ):
        assert removed[column].notna().all(), column


def test_each_variant_has_one_chosen_row_per_seed_the_one_with_the_lowest_validation_loss(
    comparison: pd.DataFrame,
) -> None:
    for (_, variant), rows in comparison.groupby(["seed", "variant"]):
        if variant == "finetuned":  # trained on validation labels, which thus cannot choose
            assert rows["chosen"].isna().all()
        else:
            assert rows.loc[rows["chosen"] == True, "val_loss"].tolist() == [rows["val_loss"].min()]  # noqa: E712


def test_the_unpruned_row_reproduces_the_base_model(finished: tuple[Workspace, str], comparison: pd.DataFrame) -> None:
    for seed in (0, 1):
        history = pd.read_parquet(finished[0].folder / f"results/small/seed{seed}/train/history.parquet")
        row = comparison[(comparison["variant"] == "none") & (comparison["seed"] == seed)].iloc[0]
        assert row["val_loss"] == pytest.approx(history["validation_loss"].iloc[-1], rel=1e-5)


def test_every_stage_is_told_the_settings_of_training(finished: tuple[Workspace, str]) -> None:
    def parameters(record: str) -> dict[str, object]:
        start = (finished[0].folder / f"results/small/seed1/{record}").read_text().splitlines()[0]
        return json.loads(start)["parameters"]

    training = {name: value for name, value in parameters("train/record.jsonl").items() if name.startswith("training.")}
    assert (training["training.epochs"], training["training.weight_decay"]) == (6, 0.005)
    for record in ("retrained/ip.record.jsonl", "retrained/finetuned.record.jsonl"):
        assert training.items() <= parameters(record).items()
    assert parameters("scores/if_cg-damping_0.2/record.jsonl")["weight_decay"] == training["training.weight_decay"]


def test_the_oracle_finds_all_wrong_labels_and_is_best(comparison: pd.DataFrame) -> None:
    at_noise_rate = comparison[comparison["fraction"] == 0.3].groupby("method")
    assert (at_noise_rate.get_group("oracle")[["noise_recall", "noise_precision"]] == 1.0).all(axis=None)
    assert at_noise_rate["test_accuracy"].mean().idxmax() == "oracle"


def test_ensembles_cost_more_than_the_method_alone(comparison: pd.DataFrame) -> None:
    cost = comparison[comparison["action"] == "remove"].groupby("variant")["score_cpu_seconds"].mean()
    assert cost["ip"] < cost["ip__parameter_dropout__2"] < cost["ip__parameter_dropout__3"]
    assert cost["loss"] < cost["loss__seeds__2"]


def test_splits_are_disjoint_and_only_train_has_wrong_labels(finished: tuple[Workspace, str]) -> None:
    folder = finished[0].folder / "results/small/seed0/split"
    splits = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "validation", "test")}
    ids = [set(split["id"]) for split in splits.values()]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    assert not ids[1] & ids[2]
    wrong = {name: (split["label"] != split["true_label"]).sum() for name, split in splits.items()}
    assert wrong == {"train": 180, "validation": 0, "test": 0}


def test_retrained_weights_and_epoch_states_are_not_kept(finished: tuple[Workspace, str]) -> None:
    folders = {part for file in (finished[0].folder / "results").rglob("*.safetensors") for part in file.parts}
    assert "checkpoints" in folders
    assert not folders & {"retrained", "train"}


def test_the_report_is_one_small_file(finished: tuple[Workspace, str]) -> None:
    assert 10_000 < (finished[0].folder / "reports/small/index.html").stat().st_size < 10_000_000


def test_the_weights_do_not_depend_on_the_number_of_cores(finished: tuple[Workspace, str], tmp_path: Path) -> None:
    target = "results/small/seed0/checkpoints/checkpoints.json"
    other = Workspace(tmp_path)
    other.run("--cores", "1", "--", target)
    hashes = [
        [state["sha256"] for state in json.loads((workspace.folder / target).read_text())["runs"]["0"]["states"]]
        for workspace in (finished[0], other)
    ]
    assert hashes[0] == hashes[1]


def test_the_ids_in_scores_are_those_of_the_training_split(finished: tuple[Workspace, str]) -> None:
    folder = finished[0].folder / "results/small/seed0"
    train = pd.read_parquet(folder / "split/train.parquet")["id"].tolist()
    assert pd.read_parquet(folder / "scores/ip.parquet")["id"].tolist() == train
