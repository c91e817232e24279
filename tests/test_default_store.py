"""The default store is made quietly, once, and again where it was deleted or cut."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from delivery_process import DELIVER, deliver
from full_disk import files_of_at_most
from tracking_server import Server, served

from heft.workflow.tracking.deliverer import FAILED, LATER
from heft.workflow.tracking.records import RunRecord, append_comparison
from heft.workflow.tracking.store_address import DEFAULT_STORE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Refusing(http.server.BaseHTTPRequestHandler):
    """A tracking server that notes each call, and answers it with the class's status."""

    status = 401
    calls: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.calls.append(self.path)
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
    monkeypatch.setattr(Refusing, "calls", [])
    name = f"refused{status}"
    with RunRecord.start(f"results/{name}/record.jsonl", name, "train", seed=0):
        pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing:
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        printed = deliver(f"http://me:secret@127.0.0.1:{refusing.server_port}", expect=FAILED)
        refusing.shutdown()
    assert Refusing.calls
    assert len(set(Refusing.calls)) == len(Refusing.calls)  # a server that is down is asked again
    store = f"http://me:***@127.0.0.1:{refusing.server_port}"
    assert printed.startswith(f"1 record waits for the tracking store {store} (it refuses this account or its token")
    assert f"status {status}" in printed
    assert len(printed.splitlines()) == 1
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
    with RunRecord.start("results/beside/record.jsonl", "beside", "train", seed=0):
        pass
    end, lock = time.monotonic() + 60, Path(".heft/deliver.lock")
    while not lock.exists() or lock.read_text().strip() != str(process.pid):
        assert time.monotonic() < end, "the delivery did not take its lock"
        time.sleep(0.1)
    assert f"under way in this folder (process {process.pid}); it sends all" in deliver(
        server.url, "--once", expect=LATER
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert [run["status"] for run in server.runs("beside", "tags.stage = 'train'")] == ["FINISHED"]


def test_a_lost_note_and_a_deleted_experiment_lose_and_double_nothing(server: Server) -> None:
    with RunRecord.start("results/lost/a.record.jsonl", "lost", "score", seed=0, variant="a") as record:
        record.metrics({"value": 1.0})
    deliver(server.url)
    for note in Path(".heft").glob("delivered-*"):
        note.unlink()
    experiments = server.post("experiments/search", {"filter": "name = 'lost'", "max_results": 1})["experiments"]
    server.post("experiments/delete", {"experiment_id": experiments[0]["experiment_id"]})
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
