"""A real tracking server, read back through its REST interface."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whole_runs import for_slow_tests


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """A tracking server on a SQLite store of its own, at a free port unless one is given.

    options: further ones of `mlflow server`; variables: further ones of its environment.
    """

    def __init__(self, folder: Path, port: int = 0, options: Sequence[str] = (), **variables: str) -> None:
        for_slow_tests("a tracking server")
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        store = f"sqlite:///{folder / 'server.db'}"
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--port", str(self.port)]
        command += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
        command += options
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment = {**os.environ, **quiet, **variables}
        self.log = (folder / "server.log").open("w")
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def wait(self) -> None:
        """Returns when the server answers."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)
        raise TimeoutError("the tracking server did not start")

    def post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call of the REST interface."""
        request = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/{call}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def runs(self, experiment: str, filter_string: str = "") -> list[dict[str, Any]]:
        """Runs of an experiment as plain dictionaries of their parts."""
        experiments = self.post("experiments/search", {"filter": f"name = '{experiment}'", "max_results": 1}).get(
            "experiments"
        )
        if not experiments:
            return []
        body = {"experiment_ids": [experiments[0]["experiment_id"]], "filter": filter_string, "max_results": 500}
        return [
            {
                "id": run["info"]["run_id"],
                "name": run["info"]["run_name"],
                "status": run["info"]["status"],
                "dataset": [entry["dataset"]["name"] for entry in run.get("inputs", {}).get("dataset_inputs", [])],
                **{
                    part: {e["key"]: e["value"] for e in run["data"].get(part, [])}
                    for part in ("tags", "params", "metrics")
                },
            }
            for run in self.post("runs/search", body).get("runs", [])
        ]

    def stop(self) -> None:
        """Stops the server and its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A server of a store in `folder`, which ends with the block."""
    running = Server(folder)
    try:
        running.wait()
        yield running
    finally:
        running.stop()
