"""A pytest plugin: runs the tests that the file HEFT_ASKED lists, a line each, in its order; all of them without it."""

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what is not asked for, and sorts the rest."""
    if file := os.environ.get("HEFT_ASKED"):
        place = {name: index for index, name in enumerate(Path(file).read_text().splitlines())}
        items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])
