"""The page: complete, self-contained, small, the same bytes for the same input, and working in a browser."""

import base64
import gzip
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_once import synthetic_page
from report_pages import FIGURES, render_words
from synthetic_curves import history
from synthetic_methods import METHODS
from synthetic_report import comparison_rows, report_input, training

import heft
import heft.reporting.page as page_module
from heft.evaluation.columns import COLUMNS
from heft.reporting.inputs import SplitFacts
from heft.reporting.page import render_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_page(tmp_path_factory)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_what_methods_say_against_their_scores_stands_once_with_its_seeds(page: str, tmp_path: Path):
    assert page.count("the residual is 0.01, above 0.01") == 2  # the cell and what sorts it
    assert "the residual is 0.21" not in page
    assert "0 and 2</td>" in page
    page = render_words(report_input(warnings=[]), tmp_path)
    assert "warnings-table" not in page


def test_labels_that_nobody_has_checked_are_named_before_the_table(tmp_path: Path):
    unchecked = SplitFacts({"train": 3, "validation": 2, "test": 2}, "none", None, trust="0 of 2 in test are checked.")
    page = render_words(report_input(split=unchecked), tmp_path)
    assert "How far can these numbers be trusted?</h2><p>0 of 2 in test are checked." in page
    assert page.index("0 of 2 in test are checked.") < page.index("One line a variant")
    assert "How far can these numbers be trusted?" not in render_words(report_input(), tmp_path)


def test_the_same_input_gives_the_same_bytes_in_another_process(folder: Path, tmp_path: Path):
    code = "import sys, synthetic_report, heft.reporting.page as page;"
    code += "page.render_report(synthetic_report.report_input(), sys.argv[1])"
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(heft.__file__).parents[1])])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "12345"}
    finished = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stderr == ""
    assert bytes_of(tmp_path) == bytes_of(folder)
    figures = {f"figures/{name}.svg" for name in FIGURES}
    assert set(bytes_of(folder)) == {"index.html", "comparison.csv", "metrics.csv"} | figures


def test_a_report_needs_neither_torch_nor_mlflow():
    code = "import sys, heft.reporting.page; print({'torch', 'mlflow'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(Path(heft.__file__).parents[1])}
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "set()"


def test_the_page_is_small_and_holds_all_that_it_refers_to(page: str):
    assert len(page.encode()) < 2_000_000
    addresses = re.findall(r'\b(?:src|href|xlink:href)="([^"]+)"', page)
    assert len(addresses) > 50
    assert [address for address in addresses if not address.startswith(("#", "data:"))] == []
    assert "@import" not in page


def test_the_comparison_on_disk_and_in_the_page_is_the_comparison_given(folder: Path, page: str):
    written = pd.read_csv(folder / "comparison.csv")
    assert list(written.columns) == list(COLUMNS)
    assert len(written) == len(report_input().comparison) == 5 * (20 * 6 + 2)
    embedded = re.search(r'href="data:text/csv;base64,([^"]+)"', page)
    assert embedded is not None
    assert base64.b64decode(embedded[1]) == (folder / "comparison.csv").read_bytes()


def test_a_large_table_is_in_the_page_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "LARGEST_EMBEDDED_CSV", 1000)
    page = render_words(report_input(), tmp_path)
    packed = re.search(r'download="comparison-mnist5k.csv.gz" href="data:application/gzip;base64,([^"]+)"', page)
    assert packed is not None
    assert gzip.decompress(base64.b64decode(packed[1])) == (tmp_path / "comparison.csv").read_bytes()


def test_every_figure_has_a_takeaway_a_title_a_description_and_ids_of_its_own(page: str):
    for name in FIGURES:
        assert f'<title id="{name}-title">' in page
        assert f'<desc id="{name}-desc">' in page
    assert page.count("<figcaption><strong>") == len(FIGURES)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', page))
    assert references
    assert references <= set(ids)


def test_the_legend_says_formula_sign_paper_and_options_of_every_method(page: str):
    assert "&lt;grad f(θ), grad l_i(θ)&gt;" in page
    assert "Charpiat et al. 2019, eq. 4" in page
    assert "damping = 0.1" in page
    assert page.count("lowest scores are detrimental</dd>") == len(METHODS)


def test_provenance_names_data_commit_configuration_and_the_filter(page: str):
    assert "9f" * 32 in page
    assert "8c26cd3" in page
    assert "fractions: [0.01, 0.025]" in page
    assert (
        "<dt>Label issues</dt><dd>1 group of identical examples with different labels: &lt;7&gt; (3) = 9 (5)." in page
    )
    assert "tags.stage = &#39;evaluate&#39; and tags.superseded = &#39;false&#39; and params.experiment" in page


def test_provenance_tells_a_table_that_was_edited_from_the_one_that_was_written(folder: Path, page: str):
    for name in ("comparison.csv", "metrics.csv"):
        written = (folder / name).read_bytes()
        line = f"SHA-256 of {name} as written</dt><dd><code>{hashlib.sha256(written).hexdigest()}</code>"
        assert line in page
        assert hashlib.sha256(written + b" ").hexdigest() not in page


def test_unknown_true_labels_are_said_to_be_unknown(tmp_path: Path):
    rows = comparison_rows()
    rows = rows[rows["method"] != "oracle"]
    rows[["noise_auroc", "noise_ap", "noise_precision", "noise_recall"]] = float("nan")
    examples = training()
    examples.examples["true_label"] = np.nan
    report = report_input(
        comparison=rows,
        precision_recall=pd.DataFrame(columns=["seed", "variant", "recall", "precision"]),
        split=SplitFacts({"train": 600, "validation": 500, "test": 1500}, "none", None),
        training=examples,
    )
    page = render_words(report, tmp_path)
    assert "True labels are not known for these data" in page
    assert "their true labels are not known" in page
    assert "AUROC of wrong labels" not in page


def test_a_table_without_images_leaves_the_pictures_out(tmp_path: Path):
    page = render_words(report_input(training=training(images=False)), tmp_path)
    assert "<img" not in page
    assert 'class="gallery"' in page


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"comparison": comparison_rows(n_seeds=1).query("method != 'random'"), "history": history(1)},
            id="one seed, no random row",
        ),
        pytest.param({"comparison": comparison_rows().query("method != 'none'")}, id="no unpruned row"),
        pytest.param(
            {"comparison": comparison_rows().query("members == 1 and fraction in [0, 0.1]")},
            id="no ensemble, one fraction",
        ),
        pytest.param(
            {
                "comparison": comparison_rows().query("method in ['none', 'random']"),
                "history": history().head(0),
                "training": None,
                "methods": {},
            },
            id="no method, no history, no examples",
        ),
    ],
)
def test_a_partial_result_still_gives_a_page(changes: dict[str, Any], tmp_path: Path):
    render_report(report_input(**changes), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'id="headline"' in page
    assert ">nan" not in page
