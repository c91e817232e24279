"""What arrives in MLflow, read back through a real tracking server's REST interface."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from full_disk import files_of_at_most
from tracking_server import Server

from heft.workflow.tracking.deliverer import FAILED, LATER
from heft.workflow.tracking.records import Dataset, RunRecord, append_comparison
from heft.workflow.tracking.store_address import DEFAULT_STORE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tracking")]

DELIVER = Path(__file__).parent.parent / "workflow_scripts" / "deliver.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def deliver(uri: str, *arguments: str, expect: int = 0) -> str:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, str(DELIVER), *arguments]
    answer = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert answer.returncode == expect, answer.stderr
    return answer.stdout + answer.stderr


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
    parent, run = sorted(server.runs("whole"), key=lambda found: found["tags"]["stage"])
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
            found = server.runs("live", "tags.stage = 'train'")
            if found and found[0]["metrics"]:
                break
            time.sleep(0.2)
        assert [(run["status"], run["metrics"]["train_loss"]) for run in found] == [("RUNNING", 1.0)]
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


class Refusing(http.server.BaseHTTPRequestHandler):
    """A tracking server that answers each call with the class's status."""

    status = 401

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *arguments: object) -> None:
        """Stays quiet."""


@pytest.mark.parametrize("status", [401, 403])
def test_a_tracker_that_refuses_the_token_is_one_sentence_at_once_and_loses_nothing(
    server: Server, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Refusing, "status", status)
    name = f"refused{status}"
    with RunRecord.start(f"results/{name}/record.jsonl", name, "train", seed=0):
        pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing:
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        started = time.monotonic()
        printed = deliver(f"http://me:secret@127.0.0.1:{refusing.server_port}", expect=FAILED)
        refusing.shutdown()
    assert time.monotonic() - started < 15  # importing mlflow; a server that is down would be waited for
    assert printed == (
        f"1 record waits for the tracking store http://me:***@127.0.0.1:{refusing.server_port} (it refuses this "
        f"account or its token, status {status}); `snakemake deliver` sends them, as does the next run.\n"
    )
    for _ in range(2):
        deliver(server.url)
    assert [run["status"] for run in server.runs(name, "tags.stage = 'train'")] == ["FINISHED"]


@pytest.mark.parametrize("n_bytes", [150_000, 300_000, 800_000])
def test_a_default_store_whose_making_was_cut_is_made_anew(n_bytes: int) -> None:
    from heft.workflow.tracking.mlflow_store import Tracker, Unreachable

    with files_of_at_most(n_bytes), pytest.raises(Unreachable):
        Tracker(DEFAULT_STORE, "project").experiment("cut")
    assert list(Path().iterdir()) == []
    assert Tracker(DEFAULT_STORE, "project").experiment("cut")
    assert [path.name for path in Path().iterdir()] == ["mlflow.db"]


def test_a_store_whose_driver_is_not_installed_is_one_sentence() -> None:
    with RunRecord.start("results/driver/record.jsonl", "driver", "train", seed=0):
        pass
    printed = deliver("mysql+nosuchdriver://me:secret@127.0.0.1/runs", "--once", expect=FAILED)
    assert "Traceback" not in printed
    assert "1 record waits for the tracking store mysql+nosuchdriver://me:***@127.0.0.1/runs (" in printed


def test_the_default_store_is_made_quietly() -> None:
    with RunRecord.start("results/quiet/record.jsonl", "quiet", "train", seed=0):
        pass
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = [sys.executable, str(DELIVER)]
    answer = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert answer.stdout + answer.stderr == ""
    assert Path("mlflow.db").exists()


def test_by_hand_beside_a_running_delivery_ends_at_once(server: Server) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server.url}
    process = subprocess.Popen([sys.executable, str(DELIVER)], env=environment, stdin=subprocess.PIPE)
    end = time.monotonic() + 60
    while not list(Path(".heft").glob("delivered-*")) and time.monotonic() < end:
        with RunRecord.start("results/beside/record.jsonl", "beside", "train", seed=0):
            time.sleep(0.5)
    assert f"under way in this folder (process {process.pid}); it sends all" in deliver(
        server.url, "--once", expect=LATER
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_a_lost_note_and_a_deleted_experiment_lose_and_double_nothing(server: Server) -> None:
    with RunRecord.start("results/lost/a.record.jsonl", "lost", "score", seed=0, variant="a") as record:
        record.metrics({"value": 1.0})
    deliver(server.url)
    for note in Path(".heft").glob("delivered-*"):
        note.unlink()
    found = server.post("experiments/search", {"filter": "name = 'lost'", "max_results": 1})["experiments"]
    server.post("experiments/delete", {"experiment_id": found[0]["experiment_id"]})
    with RunRecord.start("results/lost/b.record.jsonl", "lost", "score", seed=0, variant="b"):
        pass
    assert deliver(server.url) == ""
    runs = server.runs("lost", "tags.stage = 'score' and tags.superseded = 'false'")
    assert sorted((run["name"], run["status"]) for run in runs) == [("score a", "FINISHED"), ("score b", "FINISHED")]


def test_a_default_store_that_was_deleted_is_filled_again() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    append_comparison(
        "results/anew/record.jsonl",
        [
            {"experiment": "anew", "seed": 0, "variant": "ip", "method": "ip"}
            | {"action": "remove", "fraction": 0.1, "test_accuracy": 0.9}
        ],
    )
    for _ in range(2):
        for file in Path().glob("mlflow.db*"):
            file.unlink()
        command = [sys.executable, str(DELIVER), "--once"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout == "Runs delivered to sqlite:///mlflow.db: 1\n"
