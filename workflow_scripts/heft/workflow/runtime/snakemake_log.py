"""What a run hears and says on Snakemake's logger; the logger plugin `heft` shows it."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial

from heft.faults import is_disk_full

LOGGER = logging.getLogger("snakemake.logging")
NOTHING_TO_DO = "Nothing to be done"


def event_of(record: logging.LogRecord) -> str:
    """Snakemake's event (`job_error`) that a record tells of; empty where it is a message."""
    return str(getattr(record, "event", None) or "")


def say(sentence: str) -> None:
    """Tells a person something, in order with the lines of the jobs, and in Snakemake's log file."""
    LOGGER.info(sentence, extra={"of_heft": True})


class RunEvents(logging.Handler):
    """Calls `at_start` when a run starts, before dates are compared, and `when_idle` where it finds nothing to do.

    What only looks, and a dry run, has neither. reports: the pages that are up to date where nothing is to be done.
    """

    def __init__(self, reports: Iterable[str], at_start: Callable[[], None], when_idle: Callable[[], None]) -> None:
        super().__init__()
        self._reports, self._at_start, self._when_idle = list(reports), at_start, when_idle

    def emit(self, record: logging.LogRecord) -> None:
        """Reads one record, in the thread that logs it: what is called may end the process."""
        if event_of(record) == "workflow_started":
            self._at_start()
        elif record.getMessage().startswith(NOTHING_TO_DO) and not hasattr(record, "of_heft"):
            made = ", ".join(filter(os.path.exists, self._reports))
            say(f"{NOTHING_TO_DO}; up to date: {made}" if made else f"{NOTHING_TO_DO}.")
            self._when_idle()


def lose_lines_on_a_full_disk(logger: logging.Logger = LOGGER) -> None:
    """Lets Snakemake's log file lose its lines on a full disk, where `logging` would print a traceback of each."""
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = partial(_unless_full, handler.handleError)  # type: ignore[method-assign]


def _unless_full(handle_error: Callable[[logging.LogRecord], None], record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if error is None or not is_disk_full(error):
        handle_error(record)
