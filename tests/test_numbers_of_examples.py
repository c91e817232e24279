"""Numbers of examples that make no sense are one sentence that says what does: fractions, noise rates, split sizes."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from data_cases import examples_of
from removal import REMOVE, removal_plan
from stage_job import Job
from workspace import ROOT

from heft.artifacts import read_json, read_parquet, write_json, write_parquet, write_tensors
from heft.curation.notes import notes_on
from heft.curation.plan import unpruned_plan
from heft.data.input_writer import write_inputs
from heft.data.noise import plant_noise
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.sizes import proportional_sizes
from heft.data.split import draw_split
from heft.errors import HeftError
from heft.workflow.planning.plan import Plan, load_plan

CLEAN = NoiseSettings(kind="none")
KINDS = ("symmetric", "pairs", "clustered")


def plan_of(**settings: object) -> Plan:
    definition = {"data": {"source": "digits", "train": 300, "validation": 100, "test": 200}, **settings}
    return load_plan({"experiments": ["small"], "definitions": {"small": definition}}, [Path("small.yaml")])


@pytest.mark.parametrize(
    ("fractions", "sentence"),
    [
        ([0.1, 0.999], "has 0.999, which is all of 300 training examples (data.train); at least 1 and at most 299 can"),
        ([0.001, 0.1], "has 0.001, which is none of 300 training examples (data.train); at least 1 and at most 299"),
        ([0.1, 0.1004], "has 0.1 and 0.1004, which are both 30 of 300 training examples (data.train); leave one of"),
        ([0.3001, "noise_rate"], "has 0.3 and 0.3001, which are both 90 of 300 training examples"),
    ],
)
def test_a_fraction_that_is_none_or_all_or_there_twice_is_refused_before_any_job(
    fractions: list[object], sentence: str
) -> None:
    with pytest.raises(HeftError, match=re.escape(f"small.yaml: definitions.small.fractions {sentence}")):
        plan_of(fractions=fractions)


@pytest.mark.parametrize(("rate", "what"), [(0.001, "none"), (0.999, "all")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_noise_rate_that_is_none_or_all_is_refused_before_any_job(kind: str, rate: float, what: str) -> None:
    data = {"source": "digits", "train": 300, "validation": 100, "test": 200, "noise": {"kind": kind, "rate": rate}}
    sentence = rf"definitions\.small\.data\.noise\.rate: {rate} of 300 training examples is {what}; at least 1 and at"
    with pytest.raises(HeftError, match=sentence):
        plan_of(data=data)


def test_the_edges_are_allowed_and_a_rate_without_noise_does_not_matter() -> None:
    edges = plan_of(fractions=[1 / 300, 299 / 300])
    assert edges.experiments["small"].settings.fractions == [1 / 300, 299 / 300]
    clean = plan_of(data={"source": "digits", "train": 300, "validation": 100, "test": 200,
                          "noise": {"kind": "none", "rate": 0.0001}}, methods=["random"], fractions=[0.5])  # fmt: skip
    assert clean.experiments["small"].settings.data.noise.rate == 0.0001
    two = pd.DataFrame({"id": ["a", "b"], "label": 0})
    assert removal_plan(two, two[["id"]].assign(score=[1, 0]), [0.5], seed=0)["kept"].tolist() == [True, False]


def test_every_shipped_experiment_has_sensible_fractions() -> None:
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())
    plan = load_plan({**shipped, "experiments": list(shipped["definitions"])}, [ROOT / "config.yaml"])
    assert list(plan.experiments) == list(shipped["definitions"])
    assert len(plan.experiments) > 1


@pytest.mark.parametrize(("fraction", "n"), [(0.5, 1), (0.2, 2)])
def test_a_removal_of_none_of_few_examples_is_refused_where_it_is_planned(fraction: float, n: int) -> None:
    train = pd.DataFrame({"id": [f"x{row}" for row in range(n)], "label": 0})
    scores = train[["id"]].assign(score=np.arange(n))
    with pytest.raises(HeftError, match=rf"fractions has {fraction:g}, which is none of {n} training examples"):
        removal_plan(train, scores, [fraction], seed=0)


def test_a_removal_that_empties_a_class_is_carried_out_and_noted() -> None:
    train = pd.DataFrame({"id": list("abcdef"), "label": [0, 1, 1, 2, 2, 2]})
    scores = train[["id"]].assign(score=[0, 1, 2, 3, 4, 5])
    plan = removal_plan(train, scores, [1 / 6, 0.5, 2 / 3], seed=0)
    assert plan.groupby("fraction")["kept"].sum().tolist() == [5, 3, 2]
    assert notes_on(plan, train["label"].to_numpy(), ["cat", "dog", "cow"], REMOVE) == [
        "removing the lowest 16.6667 % leaves no training example of the class cat",
        "removing the lowest 50 % leaves no training example of the class cat, dog",
        "removing the lowest 66.6667 % leaves no training example of the class cat, dog",
    ]
    assert notes_on(unpruned_plan(train), train["label"].to_numpy(), ["cat", "dog", "cow"], []) == []


def test_the_stage_evaluate_hands_on_the_note_and_charges_further_models_to_their_action(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_inputs("inputs.safetensors", np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1))
    write_json("manifest.json", {"class_names": ["cat", "dog"], "input_shape": [1, 1, 1],
                                 "modality": {"name": "images"}, "source": "s",
                                 "dataset_digest": "d", "origin": "o"})  # fmt: skip
    split = pd.DataFrame({"id": list("abcdef"), "row": range(6), "label": [0, 1, 1, 1, 1, 1]})
    write_parquet("split.parquet", split.assign(true_label=split["label"]))
    write_parquet("scores.parquet", split[["id"]].assign(score=np.arange(6.0)))
    write_json("cost.json", {"cost": {"forward_passes": 1.0}, "warnings": ["it did not settle"]})
    write_json("retrain.json", {"retrain_cpu_seconds": 1.0})
    write_json("folds.json", {"cpu_seconds": 2.0, "training_cpu_seconds": 4.0})
    write_json("x.json", {"cpu_seconds": 8.0, "training_cpu_seconds": 16.0})
    write_parquet("plan.parquet", removal_plan(split, read_parquet("scores.parquet"), [0.5], seed=0))
    write_tensors("states.safetensors", {"remove-0.5/1.weight": torch.zeros(2, 1), "remove-0.5/1.bias": torch.zeros(2)})
    files = dict.fromkeys(("train", "validation", "test"), "split.parquet")
    files |= {"manifest": "manifest.json", "plan": "plan.parquet", "states": "states.safetensors"}
    files |= {"scores": "scores.parquet", "score_cost": "cost.json", "retrain_cost": "retrain.json"}
    params = {"model": {"name": "logistic", "options": {}}, "variant": {"method": "loss"}, "baseline": False}
    params |= {
        "measure": {"name": "test_accuracy"},
        "actions": ["remove"],
        "further_costs": {"remove": {"folds": "folds.json", "x": "x.json"}},
    }
    Job(Path(), "evaluate", files, {"metrics": "metrics.json"}, params, s="0", v="loss").run()
    said = "removing the lowest 50 % leaves no training example of the class cat"
    assert read_json("metrics.json")["warnings"] == ["it did not settle", said]
    assert read_json("metrics.json")["rows"][0]["retrain_cpu_seconds"] == 31.0


@pytest.mark.parametrize("kind", KINDS)
def test_noise_among_fewer_than_two_classes_is_refused_and_not_left_out(kind: str) -> None:
    settings, inputs = NoiseSettings(kind, 0.3), np.zeros((20, 1, 1, 4))  # type: ignore[arg-type]
    with pytest.raises(HeftError, match=rf"noise\.kind is {kind}, but there is 1 class; a wrong label needs at least"):
        plant_noise(np.zeros(20, int), inputs, settings, 1, 0)
    with pytest.raises(HeftError, match=rf"noise\.kind is {kind}, but class 1 of 2 has no training example"):
        plant_noise(np.zeros(20, int), inputs, settings, 2, 0)
    with pytest.raises(HeftError, match=r"data\.noise\.rate: 0\.3 of 1 training examples is none"):
        plant_noise(np.zeros(1, int), inputs, settings, 2, 0)


SIZES = DataSettings(train=60, validation=30, test=30, noise=CLEAN)


def test_a_label_that_noise_takes_away_is_said_to_be_taken_by_noise() -> None:
    settings = replace(SIZES, train=6, validation=6, test=6, noise=NoiseSettings("symmetric", 0.8))
    said = r"data\.noise: symmetric noise at rate 0\.8 leaves none of 6 training examples with the label \d; lower"
    with pytest.raises(HeftError, match=said):
        draw_split(*examples_of([0, 1, 2] * 20), settings, 1)


def test_proportional_sizes_add_up_and_never_exceed_what_is_there() -> None:
    assert proportional_sizes(10, np.array([1, 1, 1])).tolist() == [4, 3, 3]
    assert proportional_sizes(6, np.array([1, 2, 3])).tolist() == [1, 2, 3]
