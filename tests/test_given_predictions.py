"""`data.predictions`: out-of-fold probabilities of a person's own, in the place of models that are trained for them."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planned import rules_of
from workspace import TINY, Workspace

from heft.artifacts import read_json, read_parquet, write_json, write_parquet
from heft.errors import HeftError
from heft.methods.context import Context
from heft.workflow.housekeeping.unplanned import planned_names
from heft.workflow.planning.auxiliary import all_groups, groups_of
from heft.workflow.planning.held_out import HeldOut
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_predictions
from heft.workflow.results.given_predictions import given_probabilities, state_of

N, CLASSES = 30, ["cat", "dog", "eel"]
IDS = [f"x{row}" for row in range(N)]
PREDICTIONS = np.random.default_rng(0).dirichlet([1, 1, 1], size=N)
OUT_OF_FOLD = "results/small/seed0/out_of_fold/folds/models5"


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, in which predictions lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_of(file: str = "p.npy", noise: str = "none", **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = copy.deepcopy(TINY)
    small = settings["definitions"]["small"]
    small["data"] |= {"predictions": file, "noise": {"kind": noise}}
    small |= {"methods": ["random", "confident_learning"], "actions": ["relabel"], **changes}
    return settings


def plan_of(**changes: Any) -> Plan:
    return load_plan(settings_of(**changes), [Path("small.yaml")])


def test_no_folds_are_planned_and_their_probabilities_are() -> None:
    Path("p.npy").write_bytes(b"")
    for changes in ({}, {"actions": ["remove"]}, {"methods": ["random"]}):
        plan = plan_of(**changes)
        experiment = plan.experiments["small"]
        assert all_groups(experiment) == {}
        assert not any(groups_of(experiment, scorer) for scorer in experiment.scorers)
        assert f"{OUT_OF_FOLD}/probabilities.parquet" in plan.results
        assert planned_names(plan)["small"]["kind/n"] == ["folds/5"]
        assert plan.data("small")["predictions"] is None  # no split changes with them
    assert f"{OUT_OF_FOLD}/probabilities.parquet" not in plan_of(methods=["random"], actions=["remove"]).results
    assert all_groups(plan_of(methods=[{"trak": {"models": 2}}]).experiments["small"]).keys() == {"subsets"}


def test_planted_noise_and_a_file_that_is_not_there_are_one_sentence() -> None:
    Path("p.npy").write_bytes(b"")
    with pytest.raises(HeftError) as error:
        plan_of(noise="pairs")
    assert str(error.value) == (
        'small.yaml: definitions.small.data.predictions is "p.npy", but data.noise.kind is pairs, which plants other '
        "labels than the models of these predictions learnt; set it to none, or leave predictions out"
    )
    with pytest.raises(HeftError, match=r'small\.data\.predictions is "q\.npy", which is in none of'):
        plan_of(file="q.npy")


def data_set() -> tuple[str, str]:
    """A data set's table of examples, sorted by id, and its manifest."""
    table = pd.DataFrame({"id": IDS, "row": range(N)}).sort_values("id")
    write_parquet("examples.parquet", table)
    write_json("manifest.json", {"class_names": CLASSES})
    return "examples.parquet", "manifest.json"


def table_of(rows: Any = range(N), columns: Any = (2, 0, 1)) -> pd.DataFrame:
    table = pd.DataFrame(PREDICTIONS, columns=CLASSES).iloc[list(rows), list(columns)]
    return table.assign(id=[IDS[row] for row in rows])


def write_predictions() -> list[str]:
    """The same in each form that a file may have: tables in another order, which says more than there are."""
    shuffled = table_of(np.random.default_rng(1).permutation(N))
    more = pd.concat([shuffled, pd.DataFrame([{"id": "skipped", "cat": 1, "dog": 0, "eel": 0}])])
    more.to_csv("p.csv", index=False)
    shuffled.to_parquet("p.parquet", index=False)
    table_of(columns=(1, 0, 2)).drop(columns="id").to_csv("in_order.csv", index=False)
    np.save("p.npy", PREDICTIONS)
    np.savez("p.npz", p=PREDICTIONS, other=np.zeros(3))
    return ["p.csv", "p.parquet", "in_order.csv", "p.npy", "p.npz:p"]


def test_rows_belong_to_examples_by_their_ids_or_their_order_and_columns_to_classes_by_name() -> None:
    files, wanted = data_set(), [7, 0, 29, 12]
    for named in write_predictions():
        given = given_probabilities(named, *files, [IDS[row] for row in wanted])
        np.testing.assert_allclose(given.numpy(), PREDICTIONS[wanted], atol=1e-12)


def changed(row: int, values: list[float]) -> np.ndarray:
    predictions = PREDICTIONS.copy()
    predictions[row] = values
    return predictions


MISTAKES = [
    (PREDICTIONS[1:], "holds 29 rows without ids for the 30 examples of the data set; give one for each, in their "
     "order, or a column id."),
    (PREDICTIONS[:, :2], "has shape [30, 2]; expected a column for each of the 3 classes, in the order cat, dog, eel."),
    (changed(3, [0.2, 0.2, 0.2]), "row 3 sums to 0.6; expected 1, to within 0.05."),
    (changed(3, [2, -1, 0]), "row 3, column 0 holds 2; expected probabilities from 0 to 1; of logits, pass softmax."),
    (table_of(range(3, N)), "has no row for 3 of 30 examples, such as x0; all examples need one."),
    (table_of().rename(columns={"eel": "cow"}), "has the columns cow, cat, dog; expected one for each class: cat, dog, "
     "eel."),
]  # fmt: skip


@pytest.mark.parametrize(("predictions", "sentence"), MISTAKES)
def test_predictions_that_do_not_fit_are_one_sentence(predictions: Any, sentence: str) -> None:
    named = "p.npy" if isinstance(predictions, np.ndarray) else "p.csv"
    np.save(named, predictions) if named == "p.npy" else predictions.to_csv(named, index=False)
    with pytest.raises(HeftError) as error:
        given_probabilities(named, *data_set(), IDS)
    colon = ":" if sentence.startswith("row") else ""
    assert str(error.value) == f"data.predictions: {named}{colon} {sentence}"


def test_a_file_that_is_changed_is_another_state_and_a_touch_is_none() -> None:
    np.save("p.npy", PREDICTIONS)
    plan, held_out = plan_of(), HeldOut("folds", 5)
    state = state_of_predictions(plan, "small", "0", held_out)
    write_json(f"{OUT_OF_FOLD}/cost.json", {"read": state_of({"file": "p.npy", "state": state})})
    os.utime("p.npy", ns=(1, 1))
    assert state_of_predictions(plan, "small", "0", held_out) == state
    np.save("p.npy", PREDICTIONS[::-1])
    assert state_of_predictions(plan, "small", "0", held_out) != state


def test_a_method_that_reads_the_states_of_folds_is_told_that_there_are_none() -> None:
    given = Context(train=None, n_classes=3, seed=0, given_probabilities=PREDICTIONS)  # type: ignore[arg-type]
    with pytest.raises(HeftError, match=r"data\.predictions is given, so that no folds are trained, but this"):
        given.auxiliary_models("folds")


@pytest.mark.slow
def test_a_run_reads_them_trains_no_folds_and_reads_again_what_has_changed(tmp_path: Path) -> None:
    predictions = np.random.default_rng(0).dirichlet(np.ones(10), size=1797)
    np.save("p.npy", predictions)
    workspace = Workspace(tmp_path, settings_of(ensembles=[{"kind": "seeds", "sizes": [2]}]))
    workspace.run()
    assert not list(tmp_path.glob("results/*/seed0/auxiliary/folds*"))
    examples = read_parquet("results/small/data/examples.parquet").set_index("id")
    train = read_parquet("results/small/seed0/split/train.parquet")
    expected = predictions[examples.loc[train["id"], "row"]]
    made = read_parquet(f"{OUT_OF_FOLD}/probabilities.parquet")
    assert made["id"].tolist() == train["id"].tolist()
    np.testing.assert_allclose(made.drop(columns="id").to_numpy(), expected, atol=1e-12)
    assert read_json(f"{OUT_OF_FOLD}/cost.json")["training_cpu_seconds"] == 0
    scores = read_parquet("results/small/seed0/scores/confident_learning.parquet")
    np.testing.assert_allclose(scores["score"], expected[np.arange(len(train)), train["label"]], atol=1e-12)
    os.utime("p.npy")
    assert rules_of(workspace.plan()) == set()
    np.save("p.npy", predictions[::-1])
    again = rules_of(workspace.plan())
    assert {"out_of_fold", "score_members", "prune"} <= again
    assert not {"prepare", "split", "train"} & again
    workspace.configure(json.loads(json.dumps(settings_of()).replace('"predictions": "p.npy", ', "")))
    assert {"auxiliary", "out_of_fold"} <= rules_of(workspace.plan())
