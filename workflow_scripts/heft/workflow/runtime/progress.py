"""Progress of a run on Snakemake's logger: one line a job, and on a terminal a bar with the remaining time."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heft.faults import KILLED, KILLED_STATUS, fault_in, full_disk, is_disk_full
from heft.workflow.runtime.full_disk import first_to_say_full

DEFAULT_HANDLER = "DefaultStreamHandler"
# The first repeats what the failed job said; of the second, a kill or a full disk left it, the job simply runs again.
_NOT_FOR_A_PERSON = ("Exiting because a job execution failed", "Ignore corrupted or currently written metadata record")
_SHORT = {"s": "seed ", "g": "group "}


def attach(logger: logging.Logger, reports: Iterable[str], when_idle: Callable[[], None] = lambda: None) -> None:
    """Puts a ProgressHandler in the place of Snakemake's stream handler; a logger plugin that someone chose stays.

    when_idle: called when Snakemake says that there is nothing to do.

    Snakemake's log file loses its lines on a full disk without a word, where `logging` would print a traceback of each.
    """
    for handler in list(logger.handlers):
        if handler.name == DEFAULT_HANDLER:
            logger.removeHandler(handler)
            logger.addHandler(ProgressHandler(sys.stderr, list(reports), when_idle))
        elif isinstance(handler, logging.FileHandler):
            handler.handleError = partial(_unless_full, handler.handleError)  # type: ignore[method-assign]


def _unless_full(handle_error: Callable[[logging.LogRecord], None], record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if error is None or not is_disk_full(error):
        handle_error(record)


def describe(rule: str, wildcards: Mapping[str, Any]) -> str:
    """`score  mnist5k  seed 3  ip__seeds__5`."""
    return "  ".join([f"{rule:<13}", *(f"{_SHORT.get(name, '')}{value}" for name, value in wildcards.items())])


class ProgressHandler(logging.Handler):
    """Writes a line when a job ends or fails; warnings and errors pass; the rest goes to Snakemake's log file alone."""

    def __init__(self, stream: TextIO, reports: list[str], when_idle: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.name = "HeftProgress"
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._reports, self._when_idle = reports, when_idle
        self._running: dict[int, tuple[str, float]] = {}
        self._done, self._total = 0, 0
        self._bar: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Handles one record; events are Snakemake's LogEvent, by value."""
        event = str(getattr(record, "event", "") or "")
        if event.startswith("LogEvent."):
            event = event.removeprefix("LogEvent.").lower()
        extra = record.__dict__
        if event == "run_info":
            self._start(int(extra["stats"]["total"]))
        elif event == "job_info":
            self._running[extra["jobid"]] = (describe(extra["rule_name"], extra["wildcards"] or {}), time.monotonic())
        elif event == "job_finished":
            self._finished(extra["job_id"])
        elif event == "job_error":
            what, _ = self._running.get(extra["jobid"], (extra["rule_name"], 0.0))
            self._line(f"failed  {what}  log: {', '.join(extra['log'])}")
        elif event == "error":
            self._error(record)
        elif not event:
            self._message(record)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        super().close()

    def _start(self, total: int) -> None:
        self._total = total
        self._line(f"{total} jobs")
        if self._console.is_terminal and self._bar is None:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("remaining"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task("run", total=total)
            self._bar.start()

    def _finished(self, job: int) -> None:
        what, started = self._running.pop(job, (f"job {job}", time.monotonic()))
        self._done += 1
        width = len(str(self._total))
        self._line(f"{self._done:>{width}}/{self._total}  {what}  {time.monotonic() - started:.1f} s")
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done)
            if self._done == self._total:
                self.close()

    def _error(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(part in text for part in (f"exit status {KILLED_STATUS}", "died with <Signals.SIGKILL")):
            self._line(KILLED)
        elif self._is_about_full_disk(text):
            return
        elif sentence := fault_in(text):
            self._line(sentence)
        # The failed job has said what is wrong on stderr, and its line has named the log.
        elif not any(part in text for part in ("At least one job did not complete", "CalledProcessError")):
            self._line(text)

    def _is_about_full_disk(self, text: str) -> bool:
        """Whether Snakemake itself met a full disk; says so once, in the place of its own words."""
        full = is_disk_full(Exception(text))
        if full and first_to_say_full():
            self._line(full_disk(".snakemake"))
        return full

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING and self._is_about_full_disk(text):
            return
        if text.startswith("Nothing to be done"):
            made = ", ".join(filter(os.path.exists, self._reports))
            self._line(f"Nothing to be done; up to date: {made}" if made else "Nothing to be done.")
            self._when_idle()
        elif record.levelno >= logging.WARNING and not text.startswith(_NOT_FOR_A_PERSON):
            self._line(text)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False)
