"""Which of equally scored examples leaves, or is looked at, is drawn by the seed and by nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from removal import REMOVE, removal_plan
from stage_job import Job

from heft.artifacts import read_parquet, write_json, write_parquet
from heft.curation.ranking import lowest_first, tie_break
from heft.curation.states import state_name
from heft.data.examples import Examples
from heft.evaluation.detection import (
    detection_quality,
    inspection_quality,
    precision_at_recall,
    removal_quality,
)
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant

N = 1000


def sorted_by_class() -> tuple[pd.DataFrame, np.ndarray]:
    """A training split sorted by class, and scores of three values, as forgetting gives them."""
    train = pd.DataFrame({"id": [f"x{row:04d}" for row in range(N)], "label": np.arange(N) * 10 // N})
    return train, -np.random.default_rng(0).integers(0, 3, N).astype(float)


def removed(train: pd.DataFrame, scores: np.ndarray, seed: int, fractions: list[float]) -> list[set[str]]:
    plan = removal_plan(train, pd.DataFrame({"id": train["id"], "score": scores}), fractions, seed)
    return [set(block.loc[~block["kept"], "id"]) for _, block in plan.groupby("fraction")]


def test_of_equal_scores_every_class_of_a_sorted_file_leaves_alike() -> None:
    train, _ = sorted_by_class()
    left = np.zeros(10)
    for seed in range(20):
        for ids in removed(train, np.zeros(N), seed, [0.1]):
            left += train.loc[train["id"].isin(ids), "label"].value_counts().reindex(range(10), fill_value=0)
    assert left.sum() == 20 * 100
    assert (abs(left - 200) < 60).all(), left  # 4.5 standard deviations


def test_the_order_of_rows_decides_nothing_and_the_seed_everything() -> None:
    train, scores = sorted_by_class()
    shuffle = np.random.default_rng(1).permutation(N)
    for fraction in (0.1, 0.3):
        (here,), (there,) = (
            removed(train, scores, 3, [fraction]),
            removed(train.iloc[shuffle].reset_index(drop=True), scores[shuffle], 3, [fraction]),
        )
        assert here == there
        assert here != removed(train, scores, 4, [fraction])[0]


def test_a_smaller_fraction_is_part_of_a_larger_one_and_lower_scores_leave_first() -> None:
    train, scores = sorted_by_class()
    few, some, many = removed(train, scores, 0, [0.05, 0.2, 0.5])
    assert few < some < many
    values = dict(zip(train["id"], scores, strict=True))
    assert max(values[example] for example in many) <= min(values[example] for example in set(train["id"]) - many)


def test_two_methods_that_tie_everywhere_remove_the_same_examples() -> None:
    train, _ = sorted_by_class()
    assert removed(train, np.zeros(N), 0, [0.2]) == removed(train, np.ones(N), 0, [0.2])


def test_where_nothing_ties_the_seed_changes_nothing() -> None:
    train, _ = sorted_by_class()
    scores = np.random.default_rng(2).normal(size=N)
    expected = set(train["id"].iloc[np.argsort(scores)[:200]])
    assert [removed(train, scores, seed, [0.2])[0] for seed in range(3)] == [expected] * 3
    for seed in range(3):
        assert lowest_first(scores, tie_break(train["id"].to_numpy(), seed)).tolist() == np.argsort(scores).tolist()


def test_a_tie_break_is_a_permutation_that_follows_the_ids() -> None:
    ids = np.array([f"x{row:04d}" for row in range(N)])
    shuffle = np.random.default_rng(1).permutation(N)
    ties = tie_break(ids, 5)
    assert sorted(ties) == list(range(N))
    assert tie_break(ids[shuffle], 5).tolist() == ties[shuffle].tolist()
    assert abs(np.corrcoef(ties, np.arange(N))[0, 1]) < 0.15
    assert abs(np.corrcoef(ties, tie_break(ids, 6))[0, 1]) < 0.15


@pytest.mark.parametrize("wrong_first", [True, False])
def test_inspection_of_equal_scores_finds_what_chance_finds_wherever_the_wrong_ones_stand(wrong_first: bool) -> None:
    wrong = np.arange(N) < 300 if wrong_first else np.arange(N) >= 700
    ids = np.array([f"x{row:04d}" for row in range(N)])
    recalls = [
        inspection_quality(np.zeros(N), wrong, tie_break(ids, seed))["noise_recall_inspected"] for seed in range(20)
    ]
    assert np.mean(recalls) == pytest.approx(0.3, abs=0.025)


def test_inspection_looks_at_the_examples_that_removal_takes() -> None:
    train, scores = sorted_by_class()
    wrong = np.random.default_rng(3).random(N) < 0.2
    (taken,) = removed(train, scores, 7, [wrong.sum() / N])
    inspected = inspection_quality(scores, wrong, tie_break(train["id"].to_numpy(), 7))
    quality = removal_quality(~train["id"].isin(taken).to_numpy(), wrong)
    assert inspected["noise_precision_inspected"] == quality["noise_precision"]
    assert inspected["noise_recall_inspected"] == quality["noise_recall"]


def test_measures_over_all_thresholds_do_not_depend_on_the_order_of_equal_scores() -> None:
    _, scores = sorted_by_class()
    wrong = np.random.default_rng(4).random(N) < 0.2
    shuffle = np.random.default_rng(5).permutation(N)
    assert detection_quality(scores[shuffle], wrong[shuffle]) == pytest.approx(detection_quality(scores, wrong))
    assert precision_at_recall(scores[shuffle], wrong[shuffle]) == precision_at_recall(scores, wrong)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_stage_prune_breaks_ties_by_the_seed_of_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    train, scores = sorted_by_class()
    write_parquet("train.parquet", train)
    write_parquet("scores.parquet", pd.DataFrame({"id": train["id"], "score": scores}))
    write_json("manifest.json", {"class_names": list("abcdefghij")})
    files = {"train": "train.parquet", "scores": "scores.parquet", "classes": "manifest.json"}
    params = {"fractions": [0.1, 0.2], "actions": ["remove"], "probabilities": {}, "sees_true_labels": False}
    Job(Path(), "prune", files, {"plan": "plan.parquet"}, params, s=str(seed), v="forgetting").run()
    plan = read_parquet("plan.parquet")
    for fraction, expected in zip((0.1, 0.2), removed(train, scores, seed, [0.1, 0.2]), strict=True):
        block = plan[plan["fraction"] == fraction]
        assert set(block.loc[~block["kept"], "id"]) == expected


@pytest.mark.parametrize("seed", [0, 3])
def test_evaluation_inspects_what_the_plan_of_its_seed_removed(seed: int) -> None:
    train, scores = sorted_by_class()
    wrong = np.arange(N) < 200  # all of them stand first in the file
    labels = torch.from_numpy(train["label"].to_numpy(copy=True))
    examples = Examples(
        train["id"].to_numpy(dtype=str), torch.zeros(N, 1, 1, 1), labels + torch.from_numpy(wrong), labels
    )
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1, 12))
    table = pd.DataFrame({"id": train["id"], "score": scores})
    plan = removal_plan(train, table, [0.2], seed)
    states = {f"{state_name('remove', 0.2)}/{name}": value for name, value in model.state_dict().items()}
    splits = Splits(examples, examples, examples)
    evaluated = evaluate_variant(
        Evaluated("e", seed, "forgetting", "forgetting"), model, states, plan, splits, table, {}, actions=REMOVE
    )
    inspected = {row["metric"]: row["value"] for row in evaluated["long"]}
    assert inspected["noise_precision_inspected"] == evaluated["rows"][0]["noise_precision"]
    assert 0.1 < evaluated["rows"][0]["noise_precision"] < 0.3
