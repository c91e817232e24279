"""Real data that is no part of the project: files below the folder that the environment variable HEFT_DATA names."""

import os
from pathlib import Path

import pytest


def real_file(name: str) -> Path:
    """The file of that name; the test is skipped where there is no folder of such data."""
    folder = os.environ.get("HEFT_DATA", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("HEFT_DATA names no folder")
    return Path(folder) / name
