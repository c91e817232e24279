"""Whatever the order of a file's rows, scores, plans, dynamics and pictures belong to the example of their id."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from plain_training import N_CLASSES, SETTINGS, SPEC, examples
from scipy.stats import spearmanr
from stage_job import Job

from heft.artifacts import read_parquet, write_json, write_parquet
from heft.data.input_writer import write_inputs
from heft.evaluation.columns import COLUMNS
from heft.reporting.inputs import ReportInput
from heft.seeds import RunSeeds
from heft.training.checkpoints import write_checkpoints
from heft.training.dynamics import predict
from heft.training.roles import Kept, keep_selected
from heft.training.runs import train_runs
from heft.training.settings import CheckpointSettings
from heft.workflow.results.gather import gather
from heft.workflow.results.report_files import sources_of
from heft.workflow.results.scoring_inputs import load_trained

TRAIN = examples()
ORDER = np.random.default_rng(3).permutation(len(TRAIN))
SCORES = {name: np.random.default_rng(seed).permutation(len(TRAIN)) - 7.0 for name, seed in (("ip", 0), ("loss", 1))}
EXPERIMENT = {
    **{"seeds": [0, 1], "about": "Größe", "methods": list(SCORES), "baselines": []},
    **{"measure": "test_accuracy", "show_examples": True},
}
N_OF_SPLITS = {"train": 23, "validation": 4, "test": 4}
# Where the inputs of an example lie in the file of all inputs: neither its row in the split nor its rank by id.
PLACES = len(TRAIN) + np.random.default_rng(4).permutation(len(TRAIN))


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[ORDER].reset_index(drop=True)


def split_table() -> pd.DataFrame:
    columns = {"id": TRAIN.ids, "row": PLACES, "label": TRAIN.labels, "true_label": TRAIN.true_labels}
    return pd.DataFrame(columns)


def scores_table(name: str) -> pd.DataFrame:
    return shuffled(pd.DataFrame({"id": TRAIN.ids, "score": SCORES[name]}))


def test_prune_removes_the_ids_of_the_lowest_scores(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", split_table())
    write_parquet(tmp_path / "scores.parquet", scores_table("ip"))
    write_json(tmp_path / "manifest.json", {"class_names": list("abc")})
    files = {"train": tmp_path / "train.parquet", "scores": tmp_path / "scores.parquet"}
    files["classes"] = tmp_path / "manifest.json"
    params = {"fractions": [0.3, 0.5], "actions": ["remove"], "probabilities": {}, "sees_true_labels": False}
    Job(tmp_path, "prune", files, {"plan": "plan.parquet"}, params, v="ip").run()
    plan = read_parquet(tmp_path / "plan.parquet")
    for fraction in (0.3, 0.5):
        removed = plan.loc[(plan["fraction"] == fraction) & ~plan["kept"], "id"]
        assert set(removed) == set(TRAIN.ids[np.argsort(SCORES["ip"])[: round(fraction * len(TRAIN))]])
        labels = plan[plan["fraction"] == fraction].set_index("id")["label"]
        assert labels.loc[TRAIN.ids].tolist() == TRAIN.labels.tolist()


def test_recorded_dynamics_come_back_for_the_example_of_their_id_and_the_run_of_their_number(tmp_path: Path) -> None:
    trained = train_runs(SPEC, TRAIN, TRAIN, SETTINGS, {0: RunSeeds(1, 2), 3: RunSeeds(4, 5)})
    selected = keep_selected(trained.checkpoints, trained.history, CheckpointSettings(), Kept())
    write_checkpoints(tmp_path, selected)
    table = trained.dynamics.sample(frac=1.0, random_state=0)
    write_parquet(tmp_path / "dynamics.parquet", table)
    dynamics = [tmp_path / "dynamics.parquet"]
    files = SimpleNamespace(checkpoints=tmp_path / "checkpoints.json", auxiliary=[], dynamics=dynamics)
    loaded = load_trained(files, {"method": "aum", "options": {}, "ensemble": ""}, TRAIN, seed=0)
    assert set(loaded.dynamics) == {0, 3}
    for number, dynamics in loaded.dynamics.items():
        assert dynamics.label_logit.shape == (SETTINGS.epochs, len(TRAIN))
        for epoch in range(1, SETTINGS.epochs + 1):
            state = trained.checkpoints.runs[number].states[epoch].state
            logits = predict(SPEC.build(0), state, TRAIN.inputs)
            of_label = logits[torch.arange(len(TRAIN)), TRAIN.labels]
            others = torch.where(torch.nn.functional.one_hot(TRAIN.labels, N_CLASSES) == 1, -torch.inf, logits)
            torch.testing.assert_close(dynamics.label_logit[epoch - 1], of_label)
            torch.testing.assert_close(dynamics.largest_other_logit[epoch - 1], others.max(1).values)


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> ReportInput:
    """A report's input, of two variants and two seeds; seed 1 lacks a variant's scores."""
    base = tmp_path_factory.mktemp("gather")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(base)
        results = Path("results/mine")
        inputs = torch.zeros(2 * len(TRAIN), 1, 4, 4)
        inputs[torch.from_numpy(PLACES)] = TRAIN.inputs
        write_inputs(results / "data/inputs.safetensors", inputs.numpy())
        write_json(
            results / "data/manifest.json",
            {
                "modality": {"name": "images", "mean": 0.5},
                "true_labels": False,
                "source": "made up",
                "class_names": ["a", "b"],
            },
        )
        for seed in (0, 1):
            folder = results / f"seed{seed}"
            write_parquet(folder / "split/train.parquet", split_table())
            facts = {
                "n": N_OF_SPLITS,
                "noise": "pairs",
                "rate": 0.3,
                "n_wrong": 7,
                "resample": ["split"],
                **{"conflicting_duplicates": [], "near_duplicates": [], "leaked": [], "notes": [], "shared_notes": []},
                "trusted": None,
            }
            write_json(folder / "split/facts.json", facts)
            write_parquet(folder / "train/history.parquet", pd.DataFrame({"run": [0], "epoch": [seed + 5]}))
            for name in SCORES:
                write_parquet(folder / f"scores/{name}.parquet", scores_table(name))
                write_json(folder / f"metrics/{name}.json", metrics_of(seed, name))
        return gather(sources_of(report_job(results)))


def metrics_of(seed: int, name: str) -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS, "") | {"experiment": "mine", "seed": seed, "variant": name, "method": name}
    row |= {"fraction": 0.1, "test_accuracy": 0.1 * seed + len(name)}
    curve = {"recall": [0.0, 1.0], "precision": [1.0, 0.1 * len(name)]}
    said = ["it wobbled"] if (seed, name) == (1, "loss") else []
    return {"rows": [row], "long": [], "precision_recall": curve, "warnings": said}


def report_job(results: Path) -> Any:
    def files(pattern: str, seeds: tuple[int, ...] = (1, 0)) -> list[str]:
        return [str(results / f"seed{seed}" / pattern) for seed in seeds]

    listed = {
        "metrics": files("metrics/ip.json") + files("metrics/loss.json"),
        "history": files("train/history.parquet"),
        "facts": files("split/facts.json"),
        "train": files("split/train.parquet"),
        "scores": files("scores/loss.parquet", (0,)) + files("scores/ip.parquet"),
        "inputs": str(results / "data/inputs.safetensors"),
        **{"manifest": str(results / "data/manifest.json"), "encoded": ""},
    }
    params = SimpleNamespace(configuration=EXPERIMENT, actions=["remove"])
    return SimpleNamespace(wildcards=SimpleNamespace(e="mine"), params=params, input=SimpleNamespace(**listed))


def test_the_report_has_scores_labels_and_pictures_of_one_example_in_one_row(gathered: ReportInput) -> None:
    training = gathered.training
    assert training is not None
    assert training.seed == 0  # of which most variants are scored
    assert training.examples["id"].tolist() == TRAIN.ids.tolist()
    assert training.examples["true_label"].tolist() == TRAIN.true_labels.tolist()
    np.testing.assert_array_equal(training.inputs, TRAIN.inputs.numpy())
    scores = training.scores.set_index("id").loc[TRAIN.ids]
    assert list(scores.columns) == ["loss", "ip"]
    for name in SCORES:
        np.testing.assert_array_equal(scores[name], SCORES[name])


def test_the_report_takes_each_seed_from_its_own_files(gathered: ReportInput) -> None:
    assert gathered.history.set_index("seed")["epoch"].to_dict() == {0: 5, 1: 6}
    accuracy = gathered.comparison.set_index(["seed", "variant"])["test_accuracy"].to_dict()
    assert accuracy == {(0, "ip"): 2, (1, "ip"): 2.1, (0, "loss"): 4, (1, "loss"): 4.1}
    last = gathered.precision_recall.groupby(["seed", "variant"])["precision"].last().to_dict()
    assert last == pytest.approx({(0, "ip"): 0.2, (1, "ip"): 0.2, (0, "loss"): 0.4, (1, "loss"): 0.4})
    assert [(warning.seed, warning.variant, warning.sentence) for warning in gathered.warnings] == [
        (1, "loss", "it wobbled")
    ]


def test_the_report_knows_the_methods_and_the_facts_of_the_split(gathered: ReportInput) -> None:
    assert set(gathered.methods) == set(SCORES)
    assert gathered.baselines == {}
    facts = gathered.split
    assert (facts.n, facts.noise_kind, facts.noise_rate, facts.resample) == (
        {"train": 23, "validation": 4, "test": 4},
        "pairs",
        0.3,
        ["split"],
    )
    assert gathered.experiment == "mine"
    assert yaml.safe_load(gathered.configuration) == EXPERIMENT
    assert "about: Größe\n" in gathered.configuration
    assert len(gathered.comparison) == 4


def test_agreement_is_between_scores_of_the_same_example(gathered: ReportInput) -> None:
    (row,) = gathered.agreement.to_dict("records")
    expected = spearmanr(SCORES["loss"], SCORES["ip"]).statistic
    assert row == {"seed": 0, "variant": "loss", "other": "ip", "spearman": pytest.approx(expected)}
