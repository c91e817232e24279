"""Holds `make quick` to its name: a whole run or report, a server and a browser are for tests that are marked slow."""

import pytest

# The test that runs, as `conftest.py` notes it.
running: list[pytest.Item] = []


def for_slow_tests(what: str) -> None:
    """Fails where the test that asks for it, itself or by a fixture, is not marked slow."""
    item = running[-1]
    assert item.get_closest_marker("slow"), f"{item.nodeid} asks for {what}; mark it slow"
