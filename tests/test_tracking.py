"""What arrives in MLflow, read back through a real tracking server's REST interface."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_process import DELIVER, deliver
from tracking_server import Server, served

from heft.workflow.tracking.deliverer import LATER
from heft.workflow.tracking.records import Dataset, RunRecord, append_comparison

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_stage_arrives_with_parameters_tags_curve_data_set_and_parent(server: Server) -> None:
    Path("results").mkdir()
    Path("results/facts.json").write_text("{}")
    dataset = Dataset("digits", "ab" * 32, "scikit-learn")
    parameters = {"training": {"epochs": 2}, "nothing": None}
    with RunRecord.start(
        "results/whole/seed3/train/record.jsonl", "whole", "train", seed=3, parameters=parameters, dataset=dataset
    ) as record:
        for epoch in (1, 2):
            record.metrics({"train_loss": 1 / epoch}, step=epoch)
        record.artifact("results/facts.json")
    assert deliver(server.url) == ""
    parent, run = sorted(server.runs("whole"), key=lambda tracked: tracked["tags"]["stage"])
    assert run["name"] == "train"
    assert run["status"] == parent["status"] == "FINISHED"
    assert run["params"] == {"experiment": "whole", "seed": "3", "stage": "train", "training.epochs": "2"}
    assert run["tags"]["stage"] == "train"
    assert run["tags"]["superseded"] == "false"
    assert run["tags"]["mlflow.parentRunId"] == parent["id"]
    assert parent["name"] == "seed 3"
    assert run["dataset"] == ["digits"]
    assert run["tags"]["dataset"] == f"digits {'ab' * 32}"
    history = json.load(
        urllib.request.urlopen(
            f"{server.url}/api/2.0/mlflow/metrics/get-history?run_id={run['id']}&metric_key=train_loss"
        )
    )
    assert [(point["step"], point["value"]) for point in history["metrics"]] == [(1, 1.0), (2, 0.5)]
    listed = json.load(urllib.request.urlopen(f"{server.url}/api/2.0/mlflow/artifacts/list?run_id={run['id']}"))
    assert [file["path"] for file in listed["files"]] == ["facts.json"]


def test_the_readme_filter_is_the_comparison_table(server: Server) -> None:
    key = {"experiment": "table", "seed": 0, "method": "ip", "ensemble": "", "members": 1, "options": "{}"}
    rows = [
        {
            **key,
            "variant": "ip",
            "action": "remove",
            "fraction": fraction,
            "chosen": fraction == 0.2,
            "test_accuracy": fraction,
        }
        for fraction in (0.1, 0.2)
    ]
    for _ in range(2):  # the second delivery supersedes the first
        path = Path("results/table/seed0/metrics/ip.record.jsonl")
        path.unlink(missing_ok=True)
        append_comparison(path, rows, dataset=Dataset("digits", "ab" * 32))
        deliver(server.url)
    shown = server.runs("table", "tags.stage = 'evaluate' and tags.superseded = 'false'")
    assert sorted((run["params"]["fraction"], run["metrics"]["test_accuracy"]) for run in shown) == [
        ("0.1", 0.1),
        ("0.2", 0.2),
    ]
    assert {run["params"]["variant"] for run in shown} == {"ip"}
    # Of so many rows each names its data by a tag; stages log them as inputs.
    assert [(run["tags"]["dataset"], run["dataset"]) for run in shown] == [(f"digits {'ab' * 32}", [])] * 2
    assert len(server.runs("table", "tags.stage = 'evaluate' and tags.superseded = 'true'")) == 2


def test_a_killed_stage_is_not_left_running(server: Server) -> None:
    code = (
        f"import os, sys, signal; sys.path.insert(0, {str(DELIVER.parent)!r})\n"
        "from heft.workflow.tracking.records import RunRecord\n"
        "run = RunRecord.start('results/killed/record.jsonl', 'killed', 'train', seed=0)\n"
        "run.metrics({'train_loss': 1.0}, step=1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    deliver(server.url)
    assert [run["status"] for run in server.runs("killed", "tags.stage = 'train'")] == ["KILLED"]


def test_runs_are_visible_while_the_workflow_works_and_delivery_ends_with_it(server: Server) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server.url}
    process = subprocess.Popen([sys.executable, str(DELIVER)], env=environment, stdin=subprocess.PIPE)
    with RunRecord.start("results/live/record.jsonl", "live", "train", seed=0) as record:
        record.metrics({"train_loss": 1.0}, step=1)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            runs = server.runs("live", "tags.stage = 'train'")
            if runs and runs[0]["metrics"]:
                break
            time.sleep(0.2)
        assert [(run["status"], run["metrics"]["train_loss"]) for run in runs] == [("RUNNING", 1.0)]
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    assert [run["status"] for run in server.runs("live", "tags.stage = 'train'")] == ["FINISHED"]


def test_eight_jobs_at_once_lose_nothing(server: Server) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(DELIVER.parent)!r})\n"
        "from heft.workflow.tracking.records import RunRecord\n"
        "for index in range(5):\n"
        "    path = f'results/many/{sys.argv[1]}-{index}.record.jsonl'\n"
        "    with RunRecord.start(path, 'many', 'score', seed=0, variant=f'v{sys.argv[1]}-{index}') as run:\n"
        "        run.metrics({'value': index})\n"
    )
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server.url}
    delivering = subprocess.Popen([sys.executable, str(DELIVER)], env=environment, stdin=subprocess.PIPE)
    writers = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert delivering.stdin is not None
    delivering.stdin.close()
    assert delivering.wait(timeout=120) == 0
    runs = server.runs("many", "tags.stage = 'score'")
    assert len({run["params"]["variant"] for run in runs}) == len(runs) == 40
    assert {run["status"] for run in runs} == {"FINISHED"}


def test_a_tracker_that_is_down_is_one_sentence_and_loses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.path.insert(0, str(DELIVER.parent))
    import deliver as script

    with RunRecord.start("results/later/record.jsonl", "later", "train", seed=0):
        pass
    monkeypatch.setattr(script, "DRAIN_SECONDS", 1.0)
    monkeypatch.setattr(sys, "argv", ["deliver.py", "--once"])
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == LATER
    assert capsys.readouterr().err.startswith("1 record waits for the tracking store http://127.0.0.1:9 (it does not ")
    assert ": 1\n" in deliver(server.url, "--once")
    assert [run["status"] for run in server.runs("later", "tags.stage = 'train'")] == ["FINISHED"]
