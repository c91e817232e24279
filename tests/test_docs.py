"""The examples of the pages on extending do what the pages say: each is in the schema, the run and the report."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from doc_pages import (
    CONFIGURATION,
    KNOWN,
    PAGES,
    files_of,
    imported_from_heft,
    known_names,
    table_of,
    workspace_of_all,
)
from planned import put_back
from workspace import ROOT, Workspace

from heft.data.checked import check_raw_data
from heft.data.reading import raw_data_of


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the project with the files of all pages, all their experiments run to the report."""
    workspace = workspace_of_all(tmp_path_factory.mktemp("pages"))
    workspace.run()
    return workspace


@pytest.mark.parametrize(("page", "changes", "said"), KNOWN)
def test_the_schema_knows_the_names_and_options_of_the_page(
    tmp_path: Path, page: str, changes: dict[str, Any], said: str
) -> None:
    assert said in known_names(page, tmp_path, changes)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_a_file_of_another_page(page: str) -> None:
    files = files_of(page)
    for name, content in files.items():
        if name != CONFIGURATION:
            for module in imported_from_heft(content):
                file = module.with_suffix(".py")
                assert (ROOT / module).is_dir() or (ROOT / file).exists() or file.as_posix() in files, name


@pytest.mark.slow
def test_the_method_of_the_page_is_in_the_run_and_the_report(finished: Workspace) -> None:
    rows, page = table_of(finished, "with_entropy")
    assert {"entropy", "entropy-temperature_2", "entropy__parameter_dropout__2"} <= set(rows["variant"])
    assert "How sure the trained model is of any label" in page
    assert ">Entropy" in page


@pytest.mark.slow
def test_the_data_source_of_the_page_is_in_the_run_and_the_report(finished: Workspace) -> None:
    rows, page = table_of(finished, "wine")
    assert set(rows["variant"]) == {"none", "finetuned", "random", "oracle", "loss", "ip"}
    assert rows.loc[rows["variant"] == "none", "test_accuracy"].mean() > 0.6
    assert "Grignolino" in page
    assert "<dt>colour intensity</dt>" in page
    assert "UCI wine" in page


def test_the_own_function_of_the_page_gives_a_table_with_true_labels(tmp_path: Path) -> None:
    module = ModuleType("my_data")
    (tmp_path / "my_data.py").write_text(files_of("add_a_data_source")["my_data.py"])
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
def test_the_modality_of_the_page_is_taken_by_a_persons_own_source_and_shown_in_the_report(finished: Workspace) -> None:
    rows, page = table_of(finished, "waves")
    assert rows.loc[rows["variant"] == "none", "test_accuracy"].mean() > 0.6
    assert 'alt="training example' in page
    assert "<dt>length</dt><dd>0.4 s</dd>" in page


@pytest.mark.slow
def test_the_encoder_of_the_page_makes_what_the_model_sees_and_the_report_shows_the_pictures(
    finished: Workspace,
) -> None:
    rows, page = table_of(finished, "profiled")
    assert rows.loc[rows["variant"] == "none", "test_accuracy"].mean() > 0.6
    assert "profiles: models see 16 features of each example, from this file" in page
    assert 'src="data:image/png' in page


@pytest.mark.slow
def test_the_models_of_the_page_are_in_the_run_and_the_report(finished: Workspace) -> None:
    for experiment, name in (("mine", "my_models:build"), ("registered", "bottleneck")):
        rows, page = table_of(finished, experiment)
        assert set(rows["variant"]) == {"none", "finetuned", "random", "loss", "ip", "ip__activation_dropout__2"}
        assert rows["test_accuracy"].notna().all()
        assert name in page


@pytest.mark.slow
def test_the_objectives_and_the_measure_of_the_pages_are_in_the_run_and_the_numbers(finished: Workspace) -> None:
    names = ("focal", "attacked", "worst_class")
    told = {name: pd.read_csv(finished.folder / f"reports/{name}/metrics.csv") for name in names}
    focal, attacked = (
        pd.read_parquet(finished.folder / f"results/{name}/seed0/scores/ip.parquet")["score"] for name in names[:2]
    )
    assert not focal.equals(attacked)
    for table in told.values():
        told_of = table.groupby("metric").size()
        for metric in ("worst_class_accuracy", "validation_focal_loss", "validation_macro_loss"):
            assert told_of[metric] == told_of["validation_accuracy"]
    rows, _ = table_of(finished, "worst_class")
    validation = told["worst_class"][told["worst_class"]["metric"] == "validation_macro_loss"]
    values = rows.merge(validation, on=["seed", "variant", "fraction"])
    lowest = values.loc[values.groupby("variant")["value"].idxmin()]
    assert (lowest["chosen"] == True).all()  # noqa: E712
    assert values["chosen"].sum() == len(lowest)


@pytest.mark.slow
def test_the_action_of_the_page_is_in_the_run_and_the_report(finished: Workspace) -> None:
    rows, _ = table_of(finished, "with_fade")
    actions = {"remove", "relabel", "reweight", "fade"}
    for variant, of_variant in rows[rows["variant"] != "none"].groupby("variant"):
        assert set(of_variant["action"]) == actions, variant
        assert of_variant["chosen"].sum() == 1
        assert (of_variant["n_removed"] > 0).tolist() == (of_variant["action"] == "remove").tolist()
    oracle = rows[(rows["variant"] == "oracle") & (rows["fraction"] > 0.1)].set_index("action")["test_accuracy"]
    assert oracle[["remove", "relabel"]].min() > float(rows.loc[rows["variant"] == "none", "test_accuracy"].iloc[0])
    long = pd.read_csv(finished.folder / "reports/with_fade/metrics.csv").set_index(
        ["variant", "action", "fraction", "metric"]
    )
    assert long.loc[("oracle", "relabel", 0.3, "relabel_precision"), "value"] == 1
    assert 0 < long.loc[("loss", "relabel", 0.3, "relabel_recall"), "value"] < 1
    assert long.loc[("loss", "fade", 0.3, "n_reweighted"), "value"] == 90


@pytest.mark.slow
def test_the_further_models_of_the_page_are_trained_scored_and_in_the_legend(finished: Workspace) -> None:
    rows, page = table_of(finished, "with_bags")
    scored = {"out_of_bag", "out_of_bag-bags_3", "out_of_bag__seeds__2", "out_of_bag__checkpoints__2"}
    assert scored <= set(rows["variant"])
    assert rows["test_accuracy"].notna().all()
    assert "each trained on a bootstrap sample of the data" in page
    groups = (finished.folder / "results/with_bags/seed0/auxiliary/bags").iterdir()
    assert {group.name for group in groups} == {"group0", "group1", "group2"}  # two members of six, four at a time
    assert finished.plan() == []
    with put_back(finished):
        finished.edit("workflow_scripts/heft/auxiliary/bags.py", "0", "0 + 0")
        planned = {job.variant for job in finished.plan() if job.rule == "score_members"}
    assert planned == {
        "out_of_bag", "out_of_bag-bags_3", "out_of_bag__seeds", "out_of_bag-bags_3__seeds",
        "out_of_bag__checkpoints", "out_of_bag-bags_3__checkpoints",
    }  # fmt: skip


@pytest.mark.slow
def test_the_ensemble_of_the_page_is_in_the_run_and_the_report(finished: Workspace) -> None:
    rows, page = table_of(finished, "with_shrunken")
    of_all = {f"{method}__shrunken__2" for method in ("aum", "ip", "confident_learning")}
    assert {*of_all, "ip__shrunken-shrink_0.2__3"} <= set(rows["variant"])
    assert "shrunken" in page


@pytest.mark.slow
def test_the_optimiser_of_the_page_trains_and_a_method_says_that_it_was_derived_for_another(
    finished: Workspace,
) -> None:
    rows, page = table_of(finished, "by_lion")
    assert {"none", "random", "tracin"} <= set(rows["variant"])
    assert "derived for SGD, where a step is the learning rate times the gradient, but lion trained the model" in page


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_names_the_page(page: str) -> None:
    assert f"docs/{page}.md" in (ROOT / "README.md").read_text(encoding="utf-8")
