"""A fault of the machine ends a job or a run with one sentence; a clock that was set back leaves the dates in order."""

import errno
import io
import logging
import os
import time
from pathlib import Path

import pytest
from full_disk import make_read_only, small_disk

from heft.errors import HeftError
from heft.faults import KILLED
from heft.workflow.runtime.job_end import guarded
from heft.workflow.runtime.session import bring_back_from_future
from heft.workflow.runtime.snakemake_log import lose_lines_on_a_full_disk
from snakemake_logger_plugin_heft.lines import Lines


def test_dates_from_the_future_keep_their_order_and_others_their_date(tmp_path: Path) -> None:
    now = time.time()
    for name, date in (("old", now - 500), ("first", now + 100), ("second", now + 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (date, date))
    bring_back_from_future(tmp_path)
    old, first, second = (tmp_path.joinpath(name).stat().st_mtime - now for name in ("old", "first", "second"))
    assert old == pytest.approx(-500, abs=0.01)
    assert second - first == pytest.approx(200, abs=0.01)
    assert 0 <= second < 5


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (HeftError("row 3 is wrong"), "score: row 3 is wrong"),
        (OSError(errno.ENOSPC, "No space left on device", "results/a.parquet"), "score: the disk is full: results/a.p"),
        (OSError(errno.EACCES, "Permission denied", "results/a.parquet"), "score: results/a.parquet cannot be used: "),
        (MemoryError("Unable to allocate 3 TiB"), "score: memory ran out; run the same command again with fewer"),
    ],
)
def test_a_fault_in_a_stage_is_one_sentence_and_status_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended, guarded("score", Path("logs/score.log")):
        raise error
    assert str(ended.value.code).startswith(sentence)
    assert "\n" not in str(ended.value.code)
    assert (tmp_path / "logs/score.log").read_text() == str(ended.value.code).removeprefix("score: ") + "\n"


def test_a_log_that_may_not_be_written_is_a_sentence_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with small_disk(tmp_path / "logs", 100) as logs:
        make_read_only(logs)
        with pytest.raises(SystemExit, match="read-only"), guarded("score", tmp_path / "logs/score.log"):
            pass


@pytest.mark.parametrize(
    ("text", "shown", "n_of_two"),
    [
        (
            "WorkflowError:\nError recording metadata for finished job ([Errno 28] No space left on device).",
            "disk is full",
            1,
        ),
        ("RuleException:\nCommand 'x' returned non-zero exit status 137.", KILLED, 2),
        ("RuleException:\nCommand 'x' died with <Signals.SIGKILL: 9>.", KILLED, 2),
        ("CalledProcessError:\nCommand 'x' returned non-zero exit status 1.", "", 0),
        ("Something that nobody foresaw", "Something that nobody foresaw", 2),
    ],
)
def test_what_snakemake_says_of_a_fault_is_said_in_a_sentence_and_a_full_disk_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, shown: str, n_of_two: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".heft").mkdir()
    stream = io.StringIO()
    lines = Lines(stream)
    record = logging.makeLogRecord({"msg": text, "levelno": logging.ERROR, "event": "error"})
    lines.show(record)
    assert shown in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == bool(shown)
    lines.show(record)
    assert len(stream.getvalue().splitlines()) == n_of_two


@pytest.mark.parametrize(("file", "shown"), [("/dev/full", 0), ("a.log", 1)])
def test_a_log_file_on_a_full_disk_loses_its_line_without_a_traceback_and_another_fault_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, shown: int
) -> None:
    monkeypatch.chdir(tmp_path)
    logger = logging.Logger("of a run")
    handler = logging.FileHandler(file)
    logger.addHandler(handler)
    lose_lines_on_a_full_disk(logger)
    if shown:
        monkeypatch.setattr(handler, "format", lambda record: 1 / 0)
    logger.error("Error in rule evaluate")
    monkeypatch.setattr(handler, "stream", io.StringIO())  # /dev/full would fail again as it is closed
    assert capsys.readouterr().err.count("Traceback") == shown
