"""The page: complete, self-contained, small, the same bytes for the same input, and working in a browser."""

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from synthetic_report import CLASSES, comparison_rows, history, report_input, training

import heft
import heft.reporting.page as page_module
from heft.evaluation.columns import COLUMNS
from heft.reporting.analysis.agreement import agreement_of
from heft.reporting.analysis.classes import class_changes
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.gallery import make_gallery
from heft.reporting.inputs import SplitFacts
from heft.reporting.page import render_report
from heft.reporting.tables.behind import detection_table
from heft.reporting.text.verdict import judge

pytestmark = pytest.mark.xdist_group("report")

FIGURES = {
    "answer", "over-random", "gain-by-method", "gain-by-ensemble", "precision-recall", "ensemble-size", "cost",
    "training", "agreement", "classes",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("report")
    render_report(report_input(), target)
    return target


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_what_methods_say_against_their_scores_stands_once_with_its_seeds(page: str, tmp_path: Path):
    assert page.count("the residual is 0.01, above 0.01") == 2  # the cell and what sorts it
    assert "the residual is 0.21" not in page
    assert "0 and 2</td>" in page
    render_report(report_input(warnings=[]), tmp_path)
    assert "warnings-table" not in (tmp_path / "index.html").read_text(encoding="utf-8")


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


def test_the_page_is_small_and_asks_nothing_of_the_network(page: str):
    assert len(page.encode()) < 2_000_000
    outside = [address for address in re.findall(r'(?:src|href)="([^"]+)"', page) if re.match(r"(https?:)?//", address)]
    assert outside == []
    assert "@import" not in page


def test_the_comparison_on_disk_and_in_the_page_is_the_comparison_given(folder: Path, page: str):
    written = pd.read_csv(folder / "comparison.csv")
    assert list(written.columns) == list(COLUMNS)
    assert len(written) == len(report_input().comparison) == 5 * (20 * 6 + 2)
    embedded = re.search(r'href="data:text/csv;base64,([^"]+)"', page)
    assert embedded is not None
    assert base64.b64decode(embedded[1]) == (folder / "comparison.csv").read_bytes()


def test_a_large_table_is_in_the_page_too_and_nothing_is_linked_that_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "LARGEST_EMBEDDED_CSV", 1000)
    render_report(report_input(), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    packed = re.search(r'download="comparison-mnist5k.csv.gz" href="data:application/gzip;base64,([^"]+)"', page)
    assert packed is not None
    assert gzip.decompress(base64.b64decode(packed[1])) == (tmp_path / "comparison.csv").read_bytes()
    addresses = re.findall(r'\b(?:src|href|xlink:href)="([^"]+)"', page)
    assert len(addresses) > 50
    assert [one for one in addresses if not one.startswith(("#", "data:"))] == []


def test_every_figure_has_a_takeaway_a_title_a_description_and_ids_of_its_own(page: str):
    for name in FIGURES:
        assert f'<title id="{name}-title">' in page
        assert f'<desc id="{name}-desc">' in page
    assert page.count("<figcaption><strong>") == len(FIGURES)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', page))
    assert references <= set(ids)


def test_the_legend_says_formula_sign_paper_and_options_of_every_method(page: str):
    assert "&lt;grad f(θ), grad l_i(θ)&gt;" in page
    assert "Charpiat et al. 2019, eq. 4" in page
    assert "damping = 0.1" in page
    assert page.count("lowest scores are detrimental</dd>") == 14


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
    render_report(report, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "True labels are not known for these data" in page
    assert "their true labels are not known" in page
    assert "AUROC of wrong labels" not in page


def test_a_table_without_images_leaves_the_pictures_out(tmp_path: Path):
    render_report(report_input(training=training(images=False)), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
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


def test_the_gallery_holds_the_lowest_scores_in_order_with_the_truth_beside_them():
    report = report_input()
    comparison = Comparison(report)
    verdict = judge(comparison)
    assert report.training is not None
    assert verdict.choice is not None
    gallery = make_gallery(report.training, comparison, verdict, [str(digit) for digit in range(10)])
    assert gallery is not None
    scores = report.training.scores.set_index("id")[verdict.choice.variant.slug].sort_values()
    assert [card.id for card in gallery.cards] == list(scores.index[: len(gallery.cards)])
    truth = report.training.examples.set_index("id")
    for card in gallery.cards:
        assert (card.given, card.true) == tuple(str(truth.loc[card.id, column]) for column in ("label", "true_label"))
        assert card.wrong == (card.given != card.true)
    assert gallery.cards[0].percentiles[0][1] == 0.0


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine: the page was not opened in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, folder: Path) -> Iterator[Any]:
    """The page at 1280 x 800; fails where the console complains or anything outside is asked for."""
    tab = chromium.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url))
    tab.goto((folder / "index.html").as_uri())
    yield tab
    tab.close()
    assert complaints == []


def column_of(tab: Any, column: int) -> list[str]:
    return tab.eval_on_selector_all(
        f"#comparison-table tbody tr:not([hidden]) > :nth-child({column})",
        "cells => cells.map(cell => cell.dataset.sort)",
    )


def test_the_table_sorts_both_ways_by_click_and_by_key(opened: Any):
    head = opened.locator("#comparison-table thead tr:last-child th:nth-child(3)")
    head.locator("button").click()
    assert column_of(opened, 3)[-1] == ""  # the baseline has none, and stands last either way
    values = [float(value) for value in column_of(opened, 3)[:-1]]
    assert head.get_attribute("aria-sort") == "descending"
    assert values == sorted(values, reverse=True)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert [float(value) for value in column_of(opened, 3)[:-1]] == sorted(values)
    opened.locator("#comparison-table thead tr:last-child th:nth-child(1) button").click()
    names = column_of(opened, 1)
    assert names == sorted(names)


def test_the_search_shows_the_lines_that_hold_all_words(opened: Any):
    opened.fill("#search", "ip drop")
    assert column_of(opened, 2) == ["5", "10", "20"]
    assert opened.inner_text("#shown") == "3 of 21 shown"
    opened.fill("#search", "")
    assert len(column_of(opened, 2)) == 21


def test_the_table_can_be_saved_from_the_page_alone(opened: Any, folder: Path):
    with opened.expect_download() as saving:
        opened.click("#download")
    assert Path(saving.value.path()).read_bytes() == (folder / "comparison.csv").read_bytes()


def test_every_figure_is_on_the_page_with_a_size(opened: Any):
    sizes = opened.eval_on_selector_all(
        "figure svg[role=img]",
        "all => all.map(svg => [svg.getBoundingClientRect().width, svg.getBoundingClientRect().height])",
    )
    assert len(sizes) == len(FIGURES)
    assert all(width > 250 and height > 150 for width, height in sizes)


def test_the_first_screen_holds_the_answer_and_its_picture(opened: Any):
    for selector in ("#headline", ".evidence", "#answer svg", ".cards"):
        box = opened.locator(selector).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_page_never_scrolls_sideways(opened: Any, width: int):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_at_1280_the_comparison_shows_its_cost_without_scrolling(opened: Any):
    box = opened.locator("div:has(> #comparison-table)")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_what_a_removal_does_to_a_class_is_paired_by_seed_and_against_none():
    report = report_input()
    comparison = Comparison(report)
    found = class_changes(comparison, judge(comparison).choice, CLASSES)
    assert found is not None
    assert [one.slug for one in found.shown] == ["ip__parameter_dropout__20", "random", "oracle", "finetuned"]
    long = report.long_metrics[report.long_metrics["metric"] == "test_accuracy_class_3"].set_index("seed")
    for slug, fraction in (("random", found.treatment.fraction), ("finetuned", 0.0)):
        after = long[(long["variant"] == slug) & (long["fraction"] == fraction)]["value"]
        before = long[long["variant"] == "none"]["value"]
        expected = {int(seed): value for seed, value in (after - before).items()}
        assert found.changes[slug, 3].values == pytest.approx(expected)
        assert found.changes[slug, 3].has_interval
    assert found.before[3] == pytest.approx(long[long["variant"] == "none"]["value"].mean())


def test_classes_without_a_name_have_their_index_and_many_are_cut_in_the_figure_alone(tmp_path: Path):
    report = report_input()
    long = report.long_metrics
    one = long[long["metric"] == "test_accuracy_class_3"]
    more = [one.assign(metric=f"test_accuracy_class_{index}") for index in range(10, 60)]
    render_report(report_input(long_metrics=pd.concat([long, *more]), manifest=report.manifest), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "The 25 classes with the largest losses and gains" in page
    table = page[page.index('id="class-table"') :]
    assert table[: table.index("</table>")].count('<th scope="row"') == 60


def test_agreement_is_the_mean_over_seeds_with_its_range_and_neighbours_are_alike():
    report = report_input()
    found = agreement_of(report.agreement, Comparison(report))
    assert found is not None
    pair = report.agreement[(report.agreement["variant"] == "loss") & (report.agreement["other"] == "ip")]["spearman"]
    for place in (("loss", "ip"), ("ip", "loss")):
        assert found.matrix.loc[place] == pytest.approx(pair.mean())
        assert (found.lowest.loc[place], found.highest.loc[place]) == (pair.min(), pair.max())
    assert found.matrix.loc["ip", "ip"] == 1
    assert found.n_seeds == 5
    order = [one.slug for one in found.shown]
    assert "random" in (order[0], order[-1])


def test_the_detection_table_shows_false_negatives_when_as_many_are_inspected_as_are_wrong():
    report = report_input()
    table = detection_table(Comparison(report))
    assert table is not None
    assert "as many examples are inspected as are wrong (180" in table.caption
    assert [column.label for column in table.columns][-3:] == ["Precision %", "Recall %", "False negatives"]
    long = report.long_metrics
    for line in table.lines:
        if line.cells[0].text == "margin":
            missed = long[(long["metric"] == "noise_missed_inspected") & (long["variant"] == "margin")]["value"].mean()
            assert line.cells[-1].sort == pytest.approx(missed)


def test_baselines_and_what_trained_on_validation_are_marked_in_the_table_and_explained_below(page: str):
    assert "Fine-tuned†‡" in page
    assert "Trusted loss†" in page
    assert "† trained on validation labels: validation cannot judge it; not chosen." in page
    assert "‡ another training that removes nothing" in page
    assert "Trains the base model further on the validation split." in page


def test_where_a_baseline_beats_the_curated_models_the_first_screen_says_so(tmp_path: Path, page: str):
    assert "does better without removing anything" not in page
    render_report(report_input(comparison=comparison_rows(gains={"finetuned": 0.3})), tmp_path)
    better = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Fine-tuned does better without removing anything:" in better


def test_names_of_classes_are_shown_as_they_are_whatever_signs_they_hold(tmp_path: Path):
    names = ["$x_{$", "猫", "<script>alert(1)</script>", "a" * 300, "line\nbreak", "{{7*7}}", "&", "\x1b[0m", "8", "9"]
    manifest = dict(report_input().manifest) | {"class_names": names}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render_report(report_input(manifest=manifest), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "$x_{$" in page
    assert "{{7*7}}" in page
    figure = ElementTree.parse(tmp_path / "figures" / "classes.svg")  # well-formed
    assert "<script>alert(1)</script>" in "".join(figure.getroot().itertext())
