"""ui: opens the MLflow UI on the tracking store, and prints where the runs of each experiment are.

The server ends with this process, and with the `make` that started it, however these end.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from heft.errors import HeftError
from heft.workflow.identity import identity
from heft.workflow.tracking.local_store import adopt
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.store_address import is_server, tracking_uri, without_login, without_password
from heft.workflow.tracking.store_errors import reason_of

LOOK_SECONDS = 0.5
GRACE_SECONDS = 5
RUNS_PAGE = "{base}/#/experiments/{experiment}/runs?workflowType=machine_learning"  # the UI's mode for model training
SET_SIGNAL_OF_PARENTS_DEATH = 1  # prctl's PR_SET_PDEATHSIG
QUIET = {
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # It starts workers that outlive the server, and nothing here uses them.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def main() -> None:
    """Serves the store until interrupted; a store that is a server already is only linked to."""
    uri, port = tracking_uri(), os.environ.get("PORT", "5000")
    base = without_login(uri) if is_server(uri) else f"http://127.0.0.1:{port}"
    try:
        pages = runs_pages(base, uri)
    except HeftError as error:
        sys.exit(str(error))
    except Unreachable as error:
        sys.exit(f"The tracking store {without_password(uri)} cannot be read: {reason_of(error, uri)}")
    for name, page in pages.items():
        print(f"{name}: {page}", flush=True)
    if not is_server(uri):
        serve(uri, port)


def runs_pages(base: str, uri: str) -> dict[str, str]:
    """Address of the runs of each experiment, once the store names this folder where the project was moved."""
    adopt(uri, identity())
    experiments = Tracker(uri, "").client.search_experiments()
    return {
        experiment.name: RUNS_PAGE.format(base=base.rstrip("/"), experiment=experiment.experiment_id)
        for experiment in experiments
        if experiment.name != "Default"
    }


def serve(uri: str, port: str) -> None:
    """Runs MLflow's server until it ends, this process is told to end, or the `make` that started it is gone."""
    command, environment = server(uri, port, os.environ)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=end_with_parent)
    maker = os.getppid()
    try:
        while started.poll() is None and ("MAKELEVEL" not in os.environ or os.getppid() == maker):
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        end_group(started)


def server(uri: str, port: str, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the server; the store's address, which may hold a password, is in the second alone."""
    # One worker is enough for one reader; MLflow starts four, each of which imports it for seconds.
    options = ["--host", "127.0.0.1", "--port", port, "--workers", "1"]
    options += ["--uvicorn-opts", f"--log-level warning --timeout-graceful-shutdown {GRACE_SECONDS}"]
    command = [sys.executable, "-m", "mlflow", "ui", *options]
    return command, {**QUIET, **environment, "MLFLOW_BACKEND_STORE_URI": uri}


def end_with_parent() -> None:
    """Lets Linux end this process when its parent is killed, which then cannot do it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_SIGNAL_OF_PARENTS_DEATH, signal.SIGTERM)


def end_group(leader: "subprocess.Popen[bytes]") -> None:
    """Asks all processes of a group to end, then ends them."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, ending)
        with suppress(subprocess.TimeoutExpired):
            leader.wait(GRACE_SECONDS + 1)


if __name__ == "__main__":
    main()
