"""A run as lines: one for each job that ended, and on a terminal a bar with the remaining time."""

import logging
import time
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from snakemake_interface_logger_plugins.common import LogEvent

# The first repeats what the failed job said; of the second, a kill or a full disk left it, the job simply runs again;
# what the third names tells the next run what changed.
_NOT_FOR_A_PERSON = (
    "Exiting because a job execution failed",
    "Ignore corrupted or currently written metadata record",
    "Restored previous version of",
)
_SHORT = {"s": "seed ", "g": "group "}


def describe(rule: str, wildcards: Mapping[str, Any]) -> str:
    """`score  mnist5k  seed 3  ip__seeds__5`."""
    return "  ".join([f"{rule:<13}", *(f"{_SHORT.get(name, '')}{value}" for name, value in wildcards.items())])


class Lines:
    """Writes a line when a job ends or fails; warnings, errors and Heft's own sentences pass; the rest goes to
    Snakemake's log file alone."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._running: dict[int, tuple[str, float]] = {}
        self._done, self._total = 0, 0
        self._bar: Progress | None = None

    def show(self, record: logging.LogRecord) -> None:
        """Shows one record of Snakemake's logger."""
        event, extra = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO:
            self._start(int(extra["stats"]["total"]))
        elif event == LogEvent.JOB_INFO:
            self._running[extra["jobid"]] = (describe(extra["rule_name"], extra["wildcards"] or {}), time.monotonic())
        elif event == LogEvent.JOB_FINISHED:
            self._finished(extra["job_id"])
        elif event == LogEvent.JOB_ERROR:
            what, _ = self._running.get(extra["jobid"], (extra["rule_name"], 0.0))
            self._line(f"failed  {what}  log: {', '.join(extra['log'])}")
        elif event == LogEvent.ERROR:
            self._error(record)
        elif event is None:
            self._message(record)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, total: int) -> None:
        self._total = total
        self._line(f"{total} jobs")
        if self._console.is_terminal and self._bar is None:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("remaining"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task("run", total=total)
            self._bar.start()

    def _finished(self, job: int) -> None:
        self._done += 1
        if job in self._running:  # --quiet rules leaves out how jobs start
            what, started = self._running.pop(job)
            width = len(str(self._total))
            self._line(f"{self._done:>{width}}/{self._total}  {what}  {time.monotonic() - started:.1f} s")
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done)
            if self._done == self._total:
                self.close()

    def _error(self, record: logging.LogRecord) -> None:
        from heft.faults import KILLED, KILLED_STATUS, fault_in

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
        from heft.faults import full_disk, is_disk_full
        from heft.workflow.runtime.full_disk import first_to_say_full

        full = is_disk_full(Exception(text))
        if full and first_to_say_full():
            self._line(full_disk(".snakemake"))
        return full

    def _message(self, record: logging.LogRecord) -> None:
        """Shows a warning, an error, or what Heft marks as said to a person."""
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            if not self._is_about_full_disk(text) and not text.startswith(_NOT_FOR_A_PERSON):
                self._line(text)
        elif getattr(record, "of_heft", False):
            self._line(text)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False)
