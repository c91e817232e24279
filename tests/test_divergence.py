"""What is said of a training whose loss does not stay finite, from the job to the page."""

import re
from dataclasses import replace
from pathlib import Path

import battery
import numpy as np
import pandas as pd
import pytest
import torch
from removal import REMOVE, removal_plan
from report_pages import render_words
from sgd_reference import SETTINGS, examples
from synthetic_report import comparison_rows, long_metrics, removing, report_input
from torch import Tensor

from heft.artifacts import read_json, write_json
from heft.auxiliary.training import AuxiliaryContext
from heft.curation.retrain import retrain
from heft.errors import HeftError
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant
from heft.models.build import ModelSpec
from heft.registry import declarations
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.outcome import choose
from heft.reporting.analysis.rows import VALIDATED
from heft.reporting.inputs import ReportInput
from heft.reporting.tables.diverged import diverged_table
from heft.reporting.treatment import UNTREATED
from heft.seeds import RunSeeds
from heft.training.fine_tuning import fine_tune
from heft.training.runs import train_runs
from heft.training.settings import FineTuningSettings, TrainingSettings

SPEC = ModelSpec("mlp", {"hidden": [8]}, battery.INPUT_SHAPE, battery.N_CLASSES)
TRAIN = examples(dtype=torch.float32)
WILD = TrainingSettings(epochs=3, batch_size=8, learning_rate=1e30)
TABLE = pd.DataFrame({"id": TRAIN.ids, "label": TRAIN.labels.numpy()})
SCORES = pd.DataFrame({"id": TRAIN.ids, "score": np.arange(16.0)})
PLAN = removal_plan(TABLE, SCORES, [0.25, 0.5], seed=0)


def evaluated(states: dict[str, Tensor]) -> dict[str, object]:
    """What `evaluate_variant` finds of two retrained models, through a file."""
    splits = Splits(TRAIN, TRAIN, TRAIN)
    return evaluate_variant(
        Evaluated("e", 0, "ip", "ip"), SPEC.build(0), states, PLAN, splits, SCORES, {}, actions=REMOVE
    )


def test_a_base_model_that_diverges_is_told_with_epoch_key_and_value() -> None:
    sentence = (
        r"^the training of model mlp diverged: after epoch 1 its loss is not finite \(training\.learning_rate is "
        r"1e\+30\); lower training\.learning_rate\.$"
    )
    seen: list[float] = []
    with pytest.raises(HeftError, match=sentence):
        train_runs(SPEC, TRAIN, TRAIN, WILD, {0: RunSeeds(1, 2)}, after_epoch=lambda row: seen.append(row["epoch"]))
    assert seen == [0, 1]


def test_a_further_trained_model_that_diverges_is_named() -> None:
    context = AuxiliaryContext(SPEC, TRAIN, TRAIN, WILD, 0, ["init"])
    called = {"seeds": ([3, 4], "member 3"), "subsets": ([5], "subset 5"), "folds": ([10, 11], "member 2, fold 0")}
    for kind, (numbers, name) in called.items():
        with pytest.raises(HeftError, match=f"model mlp, {name}, diverged"):
            declarations("auxiliary")[kind].load()().train(context, numbers)
    state = SPEC.build(0).state_dict()
    with pytest.raises(HeftError, match=r"fine-tuned member 0, diverged.*\(fine_tuning\.learning_rate is 1e\+30\)"):
        fine_tune(SPEC, state, TRAIN, SETTINGS, FineTuningSettings(3, 1e30), RunSeeds(1, 2))


def test_a_baseline_that_diverges_is_left_to_its_row() -> None:
    state, settings = SPEC.build(0).state_dict(), FineTuningSettings(3, 1e30)
    trained = fine_tune(SPEC, state, TRAIN, SETTINGS, settings, RunSeeds(1, 2), may_diverge=True)
    assert not torch.isfinite(trained.checkpoints.runs[0].states[3].state["1.weight"]).all()


def test_the_row_of_a_diverged_model_is_empty_and_never_chosen(tmp_path: Path) -> None:
    states, _ = retrain(SPEC, TRAIN, PLAN, SETTINGS, RunSeeds(1, 2))
    wild, _ = retrain(SPEC, TRAIN, PLAN, WILD, RunSeeds(1, 2))
    for worse, expected in ((("remove-0.25",), [1]), (("remove-0.5",), [0]), (("remove-0.25", "remove-0.5"), [])):
        mixed = {name: wild[name] if name.partition("/")[0] in worse else tensor for name, tensor in states.items()}
        write_json(tmp_path / "metrics.json", evaluated(mixed))
        metrics = read_json(tmp_path / "metrics.json")
        assert [k for k, row in enumerate(metrics["rows"]) if row["chosen"]] == expected
        for row in metrics["rows"]:
            diverged = f"remove-{row['fraction']:g}" in worse
            long = [entry for entry in metrics["long"] if entry["fraction"] == row["fraction"]]
            said = [entry["value"] for entry in long if entry["metric"] == "diverged"]
            assert said == ([1] if diverged else [])
            assert all((row[name] == "") == diverged for name in ("val_loss", "test_loss", "test_accuracy"))
            assert (row["n_removed"], row["noise_auroc"]) == (round(16 * row["fraction"]), "")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_model_whose_loss_is_not_finite_on_one_split_has_diverged(split: str) -> None:
    states, _ = retrain(SPEC, TRAIN, PLAN, SETTINGS, RunSeeds(1, 2))
    broken = replace(TRAIN, inputs=TRAIN.inputs * torch.inf)
    splits = replace(Splits(TRAIN, TRAIN, TRAIN), **{split: broken})
    metrics = evaluate_variant(
        Evaluated("e", 0, "ip", "ip"), SPEC.build(0), states, PLAN, splits, SCORES, {}, actions=REMOVE
    )
    assert [row["test_accuracy"] for row in metrics["rows"]] == ["", ""]
    assert sum(entry["metric"] == "diverged" for entry in metrics["long"]) == 2


def diverged_report() -> tuple[Comparison, ReportInput]:
    """`ip` diverges for seed 1 at 30 %, `margin` always, the unpruned model for seed 4."""
    rows = comparison_rows()
    some = (rows["variant"] == "ip") & (rows["fraction"] == 0.3) & (rows["seed"] == 1)
    some |= (rows["variant"] == "margin") | ((rows["variant"] == "none") & (rows["seed"] == 4))
    rows = rows.astype({"val_loss": object, "test_loss": object, "test_accuracy": object, "chosen": object})
    rows.loc[some, ["val_loss", "test_loss", "test_accuracy"]] = ""
    rows.loc[some, "chosen"] = False
    rows.loc[(rows["variant"] == "ip") & (rows["fraction"] == 0.2) & (rows["seed"] == 1), "chosen"] = True
    long = long_metrics(comparison_rows())
    keys = ["experiment", "seed", "variant", "action", "fraction"]
    gone = pd.MultiIndex.from_frame(long[keys]).isin(pd.MultiIndex.from_frame(rows.loc[some, keys]))
    long = long[~(gone & long["metric"].str.startswith("test_accuracy_class"))]
    said = rows.loc[some, keys].assign(metric="diverged", value=1)
    report = replace(report_input(), comparison=rows, long_metrics=pd.concat([long, said]))
    return Comparison(report), report


def test_a_difference_leaves_out_the_seeds_whose_model_diverged() -> None:
    comparison, _ = diverged_report()
    assert sorted(comparison.gain("ip", removing(0.3)).values) == [0, 2, 3]
    assert sorted(comparison.gain("ip", removing(0.2)).values) == [0, 1, 2, 3]
    assert comparison.gain("margin", removing(0.3)).n == 0
    assert comparison.diverged("ip", removing(0.3)) == [1]
    assert comparison.diverged("margin", removing(0.05)) == [0, 1, 2, 3, 4]
    assert comparison.diverged("none", UNTREATED) == [4]
    barred = {variant.slug for variant in comparison.variants if variant.trains_on_validation}
    assert barred == {"trusted_loss"}


def test_neither_a_variant_nor_a_fraction_that_diverged_is_chosen() -> None:
    comparison, _ = diverged_report()
    choice = choose(comparison)
    assert choice is not None
    assert choice.variant.method == "ip"
    # With a loss that would win by far at the fraction where one seed has none.
    rows = comparison.rows
    largest = (rows["variant"] == choice.variant.slug) & (rows["fraction"] == 0.3)
    rows.loc[largest, VALIDATED] = 0.01
    rows.loc[largest & (rows["seed"] == 2), VALIDATED] = np.nan
    again = choose(comparison)
    assert again is not None
    assert again.treatment.fraction != 0.3


@pytest.mark.slow
def test_the_page_names_variant_fraction_and_seeds_that_diverged(tmp_path: Path) -> None:
    _, report = diverged_report()
    page = render_words(report, tmp_path)
    assert "Models that diverged" in page
    table = page[page.index('id="diverged"') : page.index('id="warnings"')]
    for words in ("nothing removed", "margin", "0, 1, 2, 3 and 4", "30\u00a0%"):
        assert words in table
    cells = page[: page.index('id="diverged"')]
    assert ">diverged<" in cells.replace("\n", "")
    assert "seeds 1 and 4 diverged" in cells
    assert not re.search(r">\s*nan\b", page)
    written = pd.read_csv(tmp_path / "comparison.csv", keep_default_na=False)
    assert set(written.loc[written["variant"] == "margin", "test_loss"]) == {""}
    assert (pd.read_csv(tmp_path / "metrics.csv")["metric"] == "diverged").sum() == 6 * 5 + 1 + 1


def test_a_report_without_divergence_says_nothing_of_it() -> None:
    assert diverged_table(Comparison(report_input())) is None
