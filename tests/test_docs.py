"""The examples of the pages on extending do what the pages say: each is in the schema, the run and the report."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from doc_pages import BLOCK, files_of, known_names, settings_of, table_of, workspace_of
from workspace import ROOT

from heft.data.checked import check_raw_data
from heft.data.reading import raw_data_of


@pytest.mark.slow
def test_the_method_of_the_page_is_in_the_schema_the_run_and_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_a_method.md", tmp_path)
    assert "entropy" in known_names(workspace, "methods", ["entropi"])
    assert "temperature" in known_names(workspace, "methods", [{"entropy": {"temperatur": 1.0}}])
    workspace.run()
    rows, page = table_of(workspace, "with_entropy")
    assert {"entropy", "entropy-temperature_2", "entropy__parameter_dropout__2"} <= set(rows["variant"])
    assert "How sure the trained model is of any label" in page
    assert ">Entropy" in page


@pytest.mark.slow
def test_the_data_source_of_the_page_is_in_the_schema_the_run_and_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_a_data_source.md", tmp_path)
    assert "wine" in known_names(workspace, "source", "win")
    workspace.run()
    rows, page = table_of(workspace, "wine")
    assert set(rows["variant"]) == {"none", "finetuned", "random", "oracle", "loss", "ip"}
    assert rows.loc[rows["variant"] == "none", "test_accuracy"].mean() > 0.6
    assert "Grignolino" in page
    assert "<dt>colour intensity</dt>" in page
    assert "UCI wine" in page


def test_the_own_function_of_the_page_gives_a_table_with_true_labels(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "add_a_data_source.md").read_text(encoding="utf-8")
    module = ModuleType("my_data")
    (tmp_path / "my_data.py").write_text(dict(BLOCK.findall(page))["my_data.py"])
    SourceFileLoader("my_data", str(tmp_path / "my_data.py")).exec_module(module)
    (tmp_path / "points.csv").write_text("0.5,1,0,1\n2,3,1,1\n")
    data = check_raw_data(
        raw_data_of(module.load(str(tmp_path / "points.csv"), shift=1), "my_data:load"), "my_data:load"
    )
    assert data.inputs.tolist() == [[1.5, 1], [3, 3]]
    assert (data.labels.tolist(), data.class_names) == ([0, 1], ["0", "1"])
    assert data.true_labels is not None
    assert data.true_labels.tolist() == [1, 1]


@pytest.mark.slow
def test_the_modality_of_the_page_is_taken_by_a_persons_own_source_and_shown_in_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_a_modality.md", tmp_path)
    workspace.run()
    rows, page = table_of(workspace, "waves")
    assert rows.loc[rows["variant"] == "none", "test_accuracy"].mean() > 0.6
    assert 'alt="training example' in page
    assert "<dt>length</dt><dd>0.4 s</dd>" in page


@pytest.mark.slow
def test_the_models_of_the_page_are_in_the_schema_the_run_and_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_a_model.md", tmp_path)
    assert "bottleneck" in known_names(workspace, "model", "botleneck")
    workspace.run()
    for experiment, name in (("mine", "my_models:build"), ("registered", "bottleneck")):
        rows, page = table_of(workspace, experiment)
        assert set(rows["variant"]) == {"none", "finetuned", "random", "loss", "ip", "ip__activation_dropout__2"}
        assert rows["test_accuracy"].notna().all()
        assert name in page


@pytest.mark.slow
def test_the_objectives_and_the_measure_of_the_pages_are_in_the_schema_the_run_and_the_numbers(tmp_path: Path) -> None:
    workspace = workspace_of("add_an_objective.md", tmp_path)
    measure = files_of("add_a_measure.md")
    own, settings = settings_of(files_of("add_an_objective.md")["mine.yaml"]), settings_of(measure.pop("mine.yaml"))
    for name, content in measure.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    own["experiments"] += settings["experiments"]
    own["definitions"] |= settings["definitions"]
    workspace.configure(own)
    assert "focal_loss" in known_names(workspace, "objective", "focal_los")
    assert "gamma" in known_names(workspace, "objective", {"focal_loss": {"gama": 1.0}})
    assert "worst_class_accuracy" in known_names(workspace, "measure", "worst_class")
    workspace.run()
    told = {name: pd.read_csv(tmp_path / "reports" / name / "metrics.csv") for name in own["experiments"]}
    scores = {name: tmp_path / "results" / name / "seed0" / "scores" / "ip.parquet" for name in ("focal", "attacked")}
    focal, attacked = (pd.read_parquet(file)["score"] for file in scores.values())
    assert not focal.equals(attacked)
    for table in told.values():
        told_of = table.groupby("metric").size()
        for metric in ("worst_class_accuracy", "validation_focal_loss", "validation_macro_loss"):
            assert told_of[metric] == told_of["validation_accuracy"]
    rows, _ = table_of(workspace, "worst_class")
    validation = told["worst_class"][told["worst_class"]["metric"] == "validation_macro_loss"]
    values = rows.merge(validation, on=["seed", "variant", "fraction"])
    lowest = values.loc[values.groupby("variant")["value"].idxmin()]
    assert (lowest["chosen"] == True).all()  # noqa: E712
    assert values["chosen"].sum() == len(lowest)


@pytest.mark.slow
def test_the_action_of_the_page_is_in_the_schema_the_run_and_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_an_action.md", tmp_path)
    assert "fade" in known_names(workspace, "actions", ["fad"])
    assert "power" in known_names(workspace, "actions", [{"fade": {"powr": 1.0}}])
    workspace.run()
    rows, _ = table_of(workspace, "with_fade")
    actions = {"remove", "relabel", "reweight", "fade"}
    for variant, of_variant in rows[rows["variant"] != "none"].groupby("variant"):
        assert set(of_variant["action"]) == actions, variant
        assert of_variant["chosen"].sum() == 1
        assert (of_variant["n_removed"] > 0).tolist() == (of_variant["action"] == "remove").tolist()
    oracle = rows[(rows["variant"] == "oracle") & (rows["fraction"] > 0.1)].set_index("action")["test_accuracy"]
    assert oracle[["remove", "relabel"]].min() > float(rows.loc[rows["variant"] == "none", "test_accuracy"].iloc[0])
    long = pd.read_csv(tmp_path / "reports/with_fade/metrics.csv").set_index(
        ["variant", "action", "fraction", "metric"]
    )
    assert long.loc[("oracle", "relabel", 0.3, "relabel_precision"), "value"] == 1
    assert 0 < long.loc[("loss", "relabel", 0.3, "relabel_recall"), "value"] < 1
    assert long.loc[("loss", "fade", 0.3, "n_reweighted"), "value"] == 90


@pytest.mark.slow
def test_the_further_models_of_the_page_are_trained_scored_and_in_the_legend(tmp_path: Path) -> None:
    workspace = workspace_of("add_further_models.md", tmp_path)
    workspace.run()
    rows, page = table_of(workspace, "with_bags")
    scored = {"out_of_bag", "out_of_bag-bags_3", "out_of_bag__seeds__2", "out_of_bag__checkpoints__2"}
    assert scored <= set(rows["variant"])
    assert rows["test_accuracy"].notna().all()
    assert "each trained on a bootstrap sample of the data" in page
    groups = (tmp_path / "results/with_bags/seed0/auxiliary/bags").iterdir()
    assert {group.name for group in groups} == {"group0", "group1", "group2"}  # two members of six, four at a time
    assert workspace.plan() == []
    workspace.edit("workflow_scripts/heft/auxiliary/bags.py", "0", "0 + 0")
    assert {job.variant for job in workspace.plan() if job.rule == "score_members"} == {
        "out_of_bag", "out_of_bag-bags_3", "out_of_bag__seeds", "out_of_bag-bags_3__seeds",
        "out_of_bag__checkpoints", "out_of_bag-bags_3__checkpoints",
    }  # fmt: skip


@pytest.mark.slow
def test_the_ensemble_of_the_page_is_in_the_schema_the_run_and_the_report(tmp_path: Path) -> None:
    workspace = workspace_of("add_an_ensemble.md", tmp_path)
    assert "shrunken" in known_names(workspace, "ensembles", [{"kind": "shrunk", "sizes": [2]}])
    wrong = [{"kind": "shrunken", "sizes": [2], "shrink": 1.0}]
    assert "shrink is 1.0; it must be between 0 and 1" in known_names(workspace, "ensembles", wrong)
    workspace.run()
    rows, page = table_of(workspace, "with_shrunken")
    of_all = {f"{method}__shrunken__2" for method in ("aum", "ip", "confident_learning")}
    assert {*of_all, "ip__shrunken-shrink_0.2__3"} <= set(rows["variant"])
    assert "shrunken" in page


PAGES = [
    "add_a_method",
    "add_a_data_source",
    "add_a_modality",
    "add_a_model",
    "add_an_action",
    "add_an_objective",
    "add_a_measure",
    "add_further_models",
    "add_an_ensemble",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_names_the_page(page: str) -> None:
    assert f"docs/{page}.md" in (ROOT / "README.md").read_text(encoding="utf-8")
