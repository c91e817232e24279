"""Whatever goes wrong with a store, what mlflow says about it is shown without password or token."""

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.store_address import PASSWORD, TOKEN, USER, without_password
from heft.workflow.tracking.store_errors import reason_of


class Redirecting(http.server.BaseHTTPRequestHandler):
    """A server that sends each call back to where it came from, with the login that it was called with."""

    def do_POST(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://me:s3cret@127.0.0.1:{self.server.server_address[1]}/again")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *arguments: object) -> None:
        """Stays quiet."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in (USER, PASSWORD, TOKEN):
        monkeypatch.setenv(variable, "")  # so that what the tracker sets is undone
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:s3cret@127.0.0.1:{port}",
        "http://me:s3/cr@et@127.0.0.1:{port}",
        "http://s3cret@127.0.0.1:{port}",
        "http://me:s3cret@127.0.0.1:nan",
        "http://me:s3cret@127.0.0.1:{port}?token=s3cret",
        "nosuch://me:s3cret@host",
        "nosuch://me:s3/cr@et@host",
        "postgresql://me:s3@cr/et@127.0.0.1:9/runs",
        "mysql+nosuch://127.0.0.1:9/runs?password=s3cret",
        "me:s3cret@host",
    ],
)
@pytest.mark.parametrize("login_in_environment", [False, True])
def test_no_secret_is_shown(uri: str, login_in_environment: bool, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if login_in_environment:
        monkeypatch.setenv(USER, "me")
        monkeypatch.setenv(PASSWORD, "s3cret")
    uri = uri.format(port=port)
    with pytest.raises(Unreachable) as met:
        Tracker(uri, "project").client.search_experiments()
    shown = f"{without_password(uri)} ({reason_of(met.value, uri)})"
    for part in ("s3", "cret", "cr@et", "cr/et"):
        assert part not in shown
    assert os.environ.get(USER, "me") == "me"
