"""A pytest plugin: runs the tests that the file HEFT_ASKED lists, a line each, in its order; all of them without it.

A line that begins with a minus is a test that is left out. A test that stands in neither kind of line comes last: its
name may follow from a value that a mutation has changed.
"""

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what is not wanted, and sorts the rest."""
    if file := os.environ.get("HEFT_ASKED"):
        lines = Path(file).read_text().splitlines()
        place = {name: index for index, name in enumerate(lines)}
        wanted = [item for item in items if f"-{item.nodeid}" not in place]
        items[:] = sorted(wanted, key=lambda item: place.get(item.nodeid, len(lines)))
