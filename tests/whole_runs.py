"""Holds `make quick` to its name: what starts a whole run, a server or a browser is for tests that are marked slow."""

import pytest

# The test that runs, as `conftest.py` notes it.
running: list[pytest.Item] = []


def for_slow_tests(what: str) -> None:
    """Fails where the test that asks for it, itself or by a fixture, is not marked slow."""
    item = running[-1]
    assert item.get_closest_marker("slow"), f"{item.nodeid} starts {what}; mark it slow"
