"""What a failed run leaves: a page that says what is missing and why, and never looks finished to Snakemake."""

import base64
import copy
import logging
import os
import re
import shlex
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from synthetic_report import comparison_rows, report_input
from workspace import TINY, Workspace

from heft.faults import KILLED
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import MissingCell
from heft.reporting.page import render_report
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.text.verdict import judge
from heft.workflow.runtime import launch, partial_report

pytestmark = pytest.mark.xdist_group("incomplete")

SENTENCE = "score_members: Method loss gave 3 of 600 scores that are not finite"


def without(rows: pd.DataFrame, *cells: tuple[str, int]) -> pd.DataFrame:
    for variant, seed in cells:
        rows = rows[~((rows["variant"] == variant) & (rows["seed"] == seed))]
    return rows


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("incomplete")
    missing = [
        MissingCell(1, "loss", "loss", SENTENCE),
        *(MissingCell(seed, "margin", "margin", "train: <b>killed</b>") for seed in range(5)),
        *(MissingCell(seed, "el2n", "el2n", "train: <b>killed</b>") for seed in range(5)),
    ]
    rows = comparison_rows()
    rows = rows[~rows["variant"].isin(["margin", "el2n"])]
    render_report(report_input(comparison=without(rows, ("loss", 1)), missing=missing), folder)
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_top_says_that_it_is_incomplete_and_what_is_missing_before_the_answer(page: str) -> None:
    assert "Incomplete: 11 of 110 evaluations missing" in page
    assert page.index('class="incomplete"') < page.index('id="headline"')
    assert SENTENCE in page


def test_variants_that_lack_the_same_seeds_for_the_same_reason_share_a_line_and_words_are_escaped(page: str) -> None:
    table = page[page.index('id="missing-table"') : page.index('id="headline"')]
    assert table.count('<th scope="row"') == 2
    assert "train: &lt;b&gt;killed&lt;/b&gt;" in table
    assert "0, 1, 2, 3 and 4" in table
    assert "el2n and margin" in table


def test_a_complete_report_says_nothing_of_missing_ones(tmp_path: Path) -> None:
    render_report(report_input(), tmp_path)
    assert "Incomplete" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_missing_cells_are_marked_in_the_comparison() -> None:
    missing = [MissingCell(1, "loss", "loss", "x"), MissingCell(0, "margin", "margin", "not run")]
    rows = comparison_rows()
    rows = without(rows[rows["variant"] != "margin"], ("loss", 1))
    comparison = Comparison(report_input(comparison=rows, missing=missing))
    lines = {line.words.split()[0]: line for line in comparison_table(comparison, judge(comparison)).lines}
    assert lines["loss"].cells[0].note == "without seed 1"
    assert lines["margin"].cells[0].note == "missing"
    assert {cell.sort for cell in lines["margin"].cells[1:]} == {None}


@pytest.mark.parametrize(
    "kept",
    [lambda rows: rows[rows["seed"] == 3], lambda rows: rows[rows["variant"].isin(["none", "loss"])]],
    ids=["one seed alone", "none and one variant"],
)
def test_little_is_enough_for_a_page(kept: Any, tmp_path: Path) -> None:
    render_report(report_input(comparison=kept(comparison_rows()), missing=[MissingCell(0, "ip", "ip", "x")]), tmp_path)
    assert 'id="headline"' in (tmp_path / "index.html").read_text(encoding="utf-8")


class Job(SimpleNamespace):
    __hash__ = object.__hash__


class Dag:
    """What `report_what_is_there` asks of Snakemake's: jobs with rule, wildcards and log, and who waits for whom."""

    def __init__(self, folder: Path, unevaluated: list[tuple[int, str]]) -> None:
        self.dependencies: dict[Job, list[Job]] = {}
        self.numbers: dict[Job, int] = {}
        self.train = self._job("train", folder / "train.log", {"s": "1"}, [])
        self.scored = {
            cell: self._job("score_members", folder / f"{cell[0]}-{cell[1]}.log", {"s": str(cell[0])}, [self.train])
            for cell in unevaluated
        }
        evaluated = [
            self._job("evaluate", folder / "evaluate.log", {"s": str(seed), "v": variant}, [self.scored[seed, variant]])
            for seed, variant in unevaluated
        ]
        self._job("report", folder / "report.log", {}, evaluated)

    def _job(self, rule: str, log: Path, wildcards: dict[str, str], needs: list[Job]) -> Job:
        job = Job(rule=SimpleNamespace(name=rule), log=[str(log)], wildcards=SimpleNamespace(e="x", **wildcards))
        self.numbers[job] = len(self.numbers)
        self.dependencies[job] = needs
        return job

    def needrun_jobs(self) -> list[Job]:
        return list(self.dependencies)

    def jobid(self, job: Job) -> int:
        return self.numbers[job]


PLAN = SimpleNamespace(
    variants=lambda name: ["none", "loss", "ip"],
    experiments={"x": SimpleNamespace(settings=SimpleNamespace(seeds=[0, 1]))},
)


def told(
    monkeypatch: pytest.MonkeyPatch, dag: Dag, *failed: Job, error: str | None = None
) -> list[dict[tuple[int, str], str]]:
    """What would be rendered as missing after these jobs failed; error: what Snakemake said of them."""
    asked: list[Any] = []
    monkeypatch.setattr(partial_report, "render_unfinished", lambda plan, experiment, missing: asked.append(missing))
    monkeypatch.setattr(partial_report, "list_unfinished", lambda plan: None)
    watching = partial_report.FailedJobs()
    watching.numbers |= {dag.jobid(job) for job in failed}
    if error:
        watching.emit(logging.makeLogRecord({"msg": error, "levelno": logging.ERROR, "event": LogEvent.ERROR}))
    partial_report.report_what_is_there(PLAN, dag, watching)  # type: ignore[arg-type]
    return asked


def test_the_reason_is_the_last_line_of_the_log_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = Dag(tmp_path, [(1, "ip"), (1, "loss")])
    (tmp_path / "1-ip.log").write_text("Traceback:\n  File x\nKeyError: 'no such column'\n")
    (tmp_path / "1-loss.log").write_text("of an earlier run\n")
    (found,) = told(monkeypatch, dag, dag.scored[1, "ip"])
    assert found == {(1, "ip"): "score_members: KeyError: 'no such column'", (1, "loss"): "not run"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("died with <Signals.SIGSEGV: 11>.", "the job was killed by SIGSEGV (segmentation fault)"),
        ("returned non-zero exit status 137.", KILLED),
        ("returned non-zero exit status 3.", "ended with status 3"),
        (None, "ended"),
    ],
)
def test_of_a_job_that_could_not_write_its_log_snakemake_says_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, reason: str
) -> None:
    dag = Dag(tmp_path, [(1, "ip")])
    (tmp_path / "train.log").touch()
    words = launch.command("train", ["logs/train.log"], "/a b/.snakemake/scripts/tmp1.train.py", {})
    error = None if said is None else f"CalledProcessError in file x, line 3:\nCommand '{shlex.join(words)}' {said}"
    (found,) = told(monkeypatch, dag, dag.train, error=error)
    assert found == {(1, "ip"): f"train: {reason}, without a message in its log"}


def test_a_run_that_was_stopped_and_one_without_an_unpruned_model_render_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = Dag(tmp_path, [(1, "ip")])
    assert told(monkeypatch, dag) == []
    dag = Dag(tmp_path, [(0, "none"), (1, "none")])
    assert told(monkeypatch, dag, dag.train) == []
    dag = Dag(tmp_path, [(0, "none"), (1, "ip"), (1, "loss")])
    assert told(monkeypatch, dag, dag.train) == []


METHOD = '''"""fragile: minus the loss, but not for the split of seed 1."""

import pandas as pd
from torch import Tensor
from torch.nn import functional

from heft.errors import HeftError
from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(title="Fragile", formula="-l_i", paper="none", predicts="nothing", needs=("final",), ensemble=False)
def fragile(context: Context) -> Tensor:
    """Minus the cross-entropy [n_train]."""
    split = pd.read_parquet("results/small/seed1/split/train.parquet")
    if split["label"].tolist() == context.train.labels.tolist():
        raise HeftError("Method fragile cannot rank <i>this</i> split.")
    logits = logits_of(context.network, context.final, context.train.inputs)
    return -functional.cross_entropy(logits, context.train.labels, reduction="none")
'''
REPORT, RECORD = "reports/small/index.html", "results/small/report.record.jsonl"


def settings() -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(TINY)
    changed["definitions"]["small"] |= {"seeds": [0, 1], "methods": ["random", "loss", "fragile"]}
    return changed


@pytest.mark.slow
def test_one_failed_method_does_not_take_the_report_away_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, settings())
    method = tmp_path / "workflow_scripts/heft/methods/fragile.py"
    method.write_text(METHOD)
    page, csv = tmp_path / REPORT, tmp_path / "reports/small/comparison.csv"

    # What was there before the failure is enough without --keep-going too.
    workspace.run("--", *(f"results/small/seed0/metrics/{variant}.json" for variant in ("none", "loss")))
    assert not page.exists()
    workspace.run("--", "results/small/seed1/split/train.parquet")
    printed = workspace.run(expect=1)
    assert "Incomplete report: reports/small/index.html (evaluated: " in printed
    assert set(pd.read_csv(csv)["variant"]) >= {"none", "loss"}

    printed = workspace.run("--keep-going", expect=1)
    assert "Incomplete report: reports/small/index.html (evaluated: 7 of 8" in printed
    assert "Traceback" not in printed
    text = page.read_text(encoding="utf-8")
    assert "Incomplete: 1 of 8 evaluations missing" in text
    index = tmp_path / "reports/index.html"
    assert "Incomplete: 1 of 8 evaluations missing" in index.read_text(encoding="utf-8")
    assert "Method fragile cannot rank &lt;i&gt;this&lt;/i&gt; split" in text
    rows = pd.read_csv(csv)
    assert set(zip(rows["variant"], rows["seed"], strict=True)) == {
        (variant, seed) for variant in ("none", "random", "loss", "fragile") for seed in (0, 1)
    } - {("fragile", 1)}
    assert not (tmp_path / RECORD).exists()
    assert "report" in {job.rule for job in workspace.plan()}

    method.write_text(METHOD.replace("split[", "None and split["))
    printed = workspace.run()
    assert printed.strip().endswith("Report: reports/small/index.html")
    text = page.read_text(encoding="utf-8")
    assert "Incomplete" not in text
    assert "means over 2 seeds" in text  # agreement is read from the scores of every seed
    assert len(pd.read_csv(csv)) == 2 * (1 + 3)
    assert [job.rule for job in workspace.plan()] == []

    # The report of a failed run never counts as made, even where nothing else is to be done.
    (tmp_path / RECORD).unlink()
    assert {job.rule for job in workspace.plan()} == {"report", "index", "all"}
    workspace.run()

    lists_what_other_runs_left(workspace)
    holds_the_same_pictures(workspace)
    stays_as_it_is_when_a_person_stops_the_run(workspace)


def lists_what_other_runs_left(workspace: Workspace) -> None:
    """A page that this configuration does not make is listed, and made by nobody."""
    shutil.copytree(workspace.folder / "reports/small", workspace.folder / "reports/of_another_run")
    assert {job.rule for job in workspace.plan()} == {"index", "all"}
    workspace.run()
    index = (workspace.folder / "reports/index.html").read_text(encoding="utf-8")
    assert re.findall('<a href="([^"]+)"', index) == ["of_another_run/index.html", "small/index.html"]
    assert "Incomplete" not in index
    assert workspace.plan() == []


def stays_as_it_is_when_a_person_stops_the_run(workspace: Workspace) -> None:
    before = (workspace.folder / REPORT).read_bytes()
    for seed in (0, 1):
        (workspace.folder / f"results/small/seed{seed}/scores/loss/members.parquet").unlink()
    run = workspace.start()
    assert run.stdout is not None
    while not re.match(r" *1/", line := run.stdout.readline()):
        assert line, "the run ended before its first job"
    os.killpg(run.pid, signal.SIGINT)
    printed, _ = run.communicate(timeout=120)
    assert run.returncode != 0
    assert "Incomplete report" not in printed
    assert (workspace.folder / REPORT).read_bytes() == before


def holds_the_same_pictures(workspace: Workspace) -> None:
    """`snakemake --report` makes one file, without the network, that holds the figures as they are."""
    workspace.variables |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    workspace.run("--report", "snakemake-report.html")
    written = (workspace.folder / "snakemake-report.html").read_text(encoding="utf-8")
    held = {
        name: base64.b64decode(content)
        for name, content in re.findall(
            r"data:[^;\"]*;charset=utf8;filename=([^;\"]+);base64,([A-Za-z0-9+/=]+)", written
        )
    }
    figures = sorted((workspace.folder / "reports/small/figures").glob("*.svg"))
    assert len(figures) >= 6
    for file in [*figures, workspace.folder / REPORT]:
        assert held[file.name] == file.read_bytes(), file.name
    assert "The comparison report of small" in written
