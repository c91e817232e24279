"""Snakemake's logger plugin `heft`: shows a run as one line a job; what only looks at a run, as Snakemake shows it.

Snakemake imports this module before it reads the Snakefile, from wherever it is installed. Nothing of Heft is imported
with it, so that the Snakefile decides which Heft runs.
"""

import logging
import sys

from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_heft.lines import Lines

# What Snakemake says of a run, and of nothing else, before it says that a run starts.
BEFORE_A_RUN = ("Assuming unrestricted shared filesystem usage", "Config file ")


class LogHandler(LogHandlerBase):
    """Shows each record with Snakemake's own handler until a run starts, and from then on with `Lines`.

    A dry run, and whoever asks for Snakemake's details (--verbose, --printshellcmds, --show-failed-logs,
    --debug-dag), gets Snakemake's own output throughout.
    """

    def __post_init__(self) -> None:
        asked = self.common_settings
        self.name = "heft"
        self._plain = ColorizingTextHandler(
            nocolor=asked.nocolor, stream=sys.stdout if asked.stdout else sys.stderr, formatter=None
        )
        details = (asked.verbose, asked.printshellcmds, asked.show_failed_logs, asked.debug_dag)
        self._may_be_a_run = not (asked.dryrun or any(details))
        self._lines: Lines | None = None
        self._held: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Shows one record; an error of this handler is written to stderr, and ends nothing."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Shows what was held, and takes the bar away."""
        self._release()
        if self._lines is not None:
            self._lines.close()
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        if self._lines is not None:
            self._lines.show(record)
        elif self._may_be_a_run and getattr(record, "event", None) == LogEvent.WORKFLOW_STARTED:
            self._held.clear()
            self._lines = Lines(sys.stderr)
        elif self._may_be_a_run and record.getMessage().startswith(BEFORE_A_RUN):
            self._held.append(record)
        else:
            self._release()
            self._show_plainly(record)

    def _release(self) -> None:
        for record in self._held:
            self._show_plainly(record)
        self._held.clear()

    def _show_plainly(self, record: logging.LogRecord) -> None:
        self._plain.setFormatter(self.formatter)  # Snakemake's, which it sets after it has made this handler
        self._plain.emit(record)

    @property
    def writes_to_stream(self) -> bool:
        """True: takes the place of Snakemake's own handler."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """False: Snakemake's log file is Snakemake's."""
        return False

    @property
    def has_filter(self) -> bool:
        """False: Snakemake's own filter heeds --quiet."""
        return False

    @property
    def has_formatter(self) -> bool:
        """False: Snakemake's own formatter serves where Snakemake's own output is shown."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """False: no graph is drawn."""
        return False
