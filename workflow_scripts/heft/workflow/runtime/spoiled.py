"""Lets a run go on with its other experiments where one cannot run at all."""

import logging
from typing import Any

from heft.workflow.runtime.snakemake_log import LOGGER, event_of

# Rules whose failure says of an experiment alone that it cannot run.
OF_ONE_EXPERIMENT = {"check_model", "unreadable"}


class GoOnWithOthers(logging.Handler):
    """Turns Snakemake's --keep-going on while nothing else has failed; what a person has asked for stays."""

    def __init__(self, scheduler: Any) -> None:
        super().__init__()
        self._scheduler, self._asked = scheduler, scheduler.keepgoing
        self._failed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Reads one record."""
        if event_of(record) == "job_error":
            self._failed.add(record.__dict__["rule_name"])
            self._scheduler.keepgoing = self._asked or self._failed <= OF_ONE_EXPERIMENT


def go_on_without_spoiled(scheduler: Any) -> None:
    """Watches Snakemake's logger from now on, for the run of this scheduler."""
    LOGGER.addHandler(GoOnWithOthers(scheduler))
