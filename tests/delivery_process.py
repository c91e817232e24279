"""Runs the delivery as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

DELIVER = Path(__file__).parent.parent / "workflow_scripts" / "deliver.py"


def deliver(uri: str, *arguments: str, expect: int = 0) -> str:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, str(DELIVER), *arguments]
    answer = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert answer.returncode == expect, answer.stderr
    return answer.stdout + answer.stderr
