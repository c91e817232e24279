"""A pytest plugin: which lines of the project each test reaches, and how long it takes.

    pytest -p reach ...        with HEFT_REACH naming the file to write

Only functions of the project are traced, in this process; what a test starts as a process of its own is not seen.
What a file of tests calls while it is imported, such as an expected value of a parameter, counts for each of its tests.
Setting up what a module's tests share counts for the test that came first, so readers take a test file as a whole.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

PACKAGE = f"{Path.cwd() / 'workflow_scripts'}{os.sep}"


class Reach:
    """Lines by file of the test that runs, and what was found of each test."""

    def __init__(self) -> None:
        self.lines: dict[str, set[int]] = {}
        self.of_import: dict[str, set[int]] = {}
        self.found: dict[str, dict[str, Any]] = {}

    def on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Traces the lines of a function of the project, and of no other."""
        file = frame.f_code.co_filename
        if not file.startswith(PACKAGE) or frame.f_code.co_name == "<module>":
            return None
        lines = self.lines.setdefault(file.removeprefix(PACKAGE), set())
        lines.add(frame.f_lineno)

        def on_line(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "line":
                lines.add(frame.f_lineno)
            return on_line

        return on_line

    @contextmanager
    def traced(self) -> Iterator[dict[str, set[int]]]:
        """Yields the lines by file that are reached in the block."""
        self.lines = {}
        threading.settrace(self.on_call)
        sys.settrace(self.on_call)
        try:
            yield self.lines
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """Traces the import of the file of tests."""
        with self.traced() as self.of_import:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Traces one test with its fixtures."""
        started = time.perf_counter()
        try:
            with self.traced() as lines:
                return (yield)
        finally:
            own = self.found.setdefault(item.nodeid, {"passed": True})
            own["seconds"] = round(time.perf_counter() - started, 3)
            own["lines"] = {
                file: sorted(lines.get(file, set()) | self.of_import.get(file, set()))
                for file in sorted({*lines, *self.of_import})
            }

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes what fails or is skipped; no mutation can be told by such a test."""
        if not report.passed:
            self.found.setdefault(report.nodeid, {})["passed"] = False

    def pytest_sessionfinish(self) -> None:
        """Writes what was found."""
        Path(os.environ["HEFT_REACH"]).write_text(json.dumps(self.found))


def pytest_configure(config: pytest.Config) -> None:
    """Registers the plugin."""
    config.pluginmanager.register(Reach(), "heft_reach")
