"""The logger plugin shows a run as lines, in order, and leaves what only looks to Snakemake's own output."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from workspace import ROOT

from heft.workflow.runtime.snakemake_log import LOGGER, RunEvents, say
from snakemake_logger_plugin_heft import LogHandler

PLUGIN = ROOT / "workflow_scripts" / "snakemake_logger_plugin_heft"


def log_record(text: str, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": level, "levelname": logging.getLevelName(level), **extra})


def started() -> logging.LogRecord:
    return log_record("Workflow has started!", event=LogEvent.WORKFLOW_STARTED)


def shown(capsys: pytest.CaptureFixture[str], settings: OutputSettings, *records: logging.LogRecord) -> list[str]:
    """The lines on stderr and stdout of a handler that gets the records, then ends."""
    handler = LogHandler(settings, None)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for record in records:
        handler.emit(record)
    handler.close()
    printed = capsys.readouterr()
    return (printed.err + printed.out).splitlines()


def test_snakemake_finds_the_plugin_which_the_profile_chooses() -> None:
    assert "heft" in LoggerPluginRegistry().get_registered_plugins()
    assert yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())["logger"] == "heft"


def test_a_run_shows_a_line_a_job_and_what_is_said_to_a_person_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(
        capsys,
        OutputSettings(),
        log_record("Config file config.yaml is extended by additional config"),
        log_record("Assuming unrestricted shared filesystem usage."),
        started(),
        log_record("Building DAG of jobs..."),
        log_record("Job stats", event=LogEvent.RUN_INFO, stats={"total": 2}),
        log_record("", event=LogEvent.JOB_INFO, jobid=1, rule_name="score", wildcards={"e": "small", "s": "0"}),
        log_record("", event=LogEvent.JOB_FINISHED, job_id=1),
        log_record("", event=LogEvent.JOB_ERROR, jobid=2, rule_name="prune", log=["logs/prune.log"]),
        log_record("beware", logging.WARNING),
        log_record("Restored previous version of a (updating job failed).", logging.WARNING),
        log_record("Report: reports/small/index.html", of_heft=True),
    )
    assert [line.rpartition("  ")[0] if "score" in line else line for line in lines] == [
        "2 jobs",
        "1/2  score          small  seed 0",
        "failed  prune  log: logs/prune.log",
        "beware",
        "Report: reports/small/index.html",
    ]


def test_where_no_job_starts_all_is_shown_at_once_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    said = [
        log_record("Config file config.yaml is extended"),
        log_record("Building DAG of jobs..."),
        log_record("one more"),
    ]
    assert shown(capsys, OutputSettings(), *said) == [message.getMessage() for message in said]
    assert shown(capsys, OutputSettings(), said[0]) == [said[0].getMessage()]


@pytest.mark.parametrize("asked", ["dryrun", "verbose", "printshellcmds", "show_failed_logs", "debug_dag"])
def test_a_dry_run_and_who_asks_for_details_get_snakemakes_own_output(
    capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    lines = shown(capsys, OutputSettings(**{asked: True}), started(), log_record("Building DAG of jobs..."))
    assert lines == ["Workflow has started!", "Building DAG of jobs..."]


def test_an_error_of_the_plugin_does_not_end_the_thread_that_shows_records(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(
        capsys, OutputSettings(), started(), log_record("", event=LogEvent.RUN_INFO), log_record("x", of_heft=True)
    )
    assert "KeyError: 'stats'" in lines
    assert lines[-1] == "x"


@pytest.mark.parametrize("file", sorted(PLUGIN.glob("*.py")), ids=lambda file: file.name)
def test_the_plugin_imports_nothing_of_heft_before_the_snakefile_is_read(file: Path) -> None:
    at_once = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [line for node in at_once if (line := ast.unparse(node)).split()[1].partition(".")[0] == "heft"] == []


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What a handler of the events of a run was told, on Snakemake's logger."""
    told: list[str] = []
    handler = RunEvents(
        [str(ROOT / "README.md"), "no/report"], lambda: told.append("start"), lambda: told.append("idle")
    )
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield told
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


def test_a_run_that_starts_and_one_with_nothing_to_do_are_heard_and_the_reports_named(
    heard: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    LOGGER.addHandler(caplog.handler)
    LOGGER.info("Workflow has started!", extra={"event": LogEvent.WORKFLOW_STARTED})
    assert heard == ["start"]
    LOGGER.info("Nothing to be done (all requested files are present and up to date).")
    say("Nothing to be done, says someone else")
    LOGGER.removeHandler(caplog.handler)
    assert heard == ["start", "idle"]
    assert f"Nothing to be done; up to date: {ROOT / 'README.md'}" in caplog.messages
