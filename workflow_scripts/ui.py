"""ui: opens the MLflow UI on the tracking store, and prints where the runs of each experiment are."""

import os
import subprocess
import sys

from heft.tracking import Unreachable, reason_of, runs_pages, tracking_uri, without_password


def main() -> None:
    """Serves the store until interrupted; a store that is a server already is only linked to."""
    uri, port = tracking_uri(), os.environ.get("PORT", "5000")
    served = uri.startswith(("http://", "https://"))
    try:
        pages = runs_pages(uri if served else f"http://127.0.0.1:{port}", uri)
    except Unreachable as error:
        sys.exit(f"The tracking store {without_password(uri)} cannot be read: {reason_of(error)}")
    for name, page in pages.items():
        print(f"{name}: {page}", flush=True)
    if not served:
        # One worker is enough for one reader; MLflow starts four, each of which imports it for seconds.
        options = ["--host", "127.0.0.1", "--port", port, "--workers", "1", "--uvicorn-opts", "--log-level warning"]
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, *options]
        quiet = {"PYTHONWARNINGS": "ignore", "MLFLOW_LOGGING_LEVEL": "WARNING"}
        try:
            subprocess.run(command, check=False, env={**quiet, **os.environ})
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()
