"""A run in which a method fails leaves a page of what there is, and the next run makes it whole."""

import base64
import copy
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workspace import TINY, Workspace

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


# longer: one run, and what each further run of it leaves
@pytest.mark.slow
def test_one_failed_method_does_not_take_the_report_away_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, settings())
    method = tmp_path / "workflow_scripts/heft/methods/fragile.py"
    method.write_text(METHOD)
    page, csv = tmp_path / REPORT, tmp_path / "reports/small/comparison.csv"

    # What was there before the failure is enough without --keep-going too.
    evaluated = [f"results/small/seed0/metrics/{variant}.json" for variant in ("none", "loss")]
    workspace.run("--", *evaluated, "results/small/seed1/split/train.parquet")
    assert not page.exists()
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

    lists_what_other_runs_left(workspace)
    holds_the_same_pictures(workspace)
    stays_as_it_is_when_a_person_stops_the_run(workspace)


def lists_what_other_runs_left(workspace: Workspace) -> None:
    """A page that this configuration does not make is listed, and made by nobody."""
    shutil.copytree(workspace.folder / "reports/small", workspace.folder / "reports/of_another_run")
    assert {job.rule for job in workspace.plan()} == {"index", "all"}
    # The report of a failed run never counts as made, even where nothing else is to be done.
    (workspace.folder / RECORD).unlink()
    assert {job.rule for job in workspace.plan()} == {"report", "index", "all"}
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
