"""A tracking server with basic authentication gets all runs, whichever way user and password are given."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tracking_server import Server

from heft.workflow.identity import identity
from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.records import RunRecord
from heft.workflow.tracking.store_address import PASSWORD, TOKEN, USER
from heft.workflow.tracking.store_errors import reason_of

pytest.importorskip("flask_wtf", reason="Flask-WTF is not installed")
pytestmark = pytest.mark.slow

SECRET = "s3cr@t/of:the?server"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    login = {"MLFLOW_AUTH_ADMIN_PASSWORD": SECRET, "MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}
    running = Server(folder, options=["--app-name", "basic-auth"], **login)
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in (USER, PASSWORD, TOKEN):
        monkeypatch.setenv(variable, "")  # so that what the tracker sets is undone
        monkeypatch.delenv(variable)


def deliver(uri: str, experiment: str) -> tuple[int, Delivery, Tracker]:
    own = identity()
    Path("facts.json").write_text("{}")
    with RunRecord.start(f"results/{experiment}/record.jsonl", experiment, "train", seed=0) as record:
        record.artifact("facts.json")
    tracker = Tracker(uri, own.project)
    delivery = Delivery(tracker, DeliveredNote(uri, own.project), Unreachable)
    return delivery.drain(60), delivery, tracker


def assert_delivered(uri: str, experiment: str) -> None:
    waiting, _, tracker = deliver(uri, experiment)
    assert waiting == 0
    (run,) = tracker.known_runs(experiment)
    assert run["status"] == "FINISHED"
    assert [file.path for file in tracker.client.list_artifacts(run["run_id"])] == ["facts.json"]


def test_user_and_password_of_the_environment_are_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER, "admin")
    monkeypatch.setenv(PASSWORD, SECRET)
    assert_delivered(server.url, "environment")


def test_user_and_password_of_the_address_are_used(server: Server) -> None:
    assert_delivered(server.url.replace("http://", f"http://admin:{SECRET}@"), "address")


def test_a_wrong_password_is_one_sentence_without_it(server: Server) -> None:
    uri = server.url.replace("http://", "http://admin:wr0ng@")
    waiting, delivery, _ = deliver(uri, "wrong")
    assert waiting == 1
    assert delivery.failure is not None
    assert reason_of(delivery.failure, uri) == "it refuses this account or its token, status 401"
