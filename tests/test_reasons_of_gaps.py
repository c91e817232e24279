"""The reason of each gap of an unfinished report is what the failed job said."""

import logging
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from heft.faults import KILLED
from heft.workflow.runtime import launch, partial_report


class Job(SimpleNamespace):
    __hash__ = object.__hash__


class Dag:
    """What `report_what_is_there` asks of Snakemake's: jobs with rule, wildcards and log, and who waits for whom."""

    def __init__(self, folder: Path, unevaluated: list[tuple[int, str]]) -> None:
        self.dependencies: dict[Job, list[Job]] = {}
        self.numbers: dict[Job, int] = {}
        self.train = self._job("train", folder / "train.log", {"s": "1"}, [])
        self.scored = {
            cell: self._job("score_members", folder / f"{cell[0]}-{cell[1]}.log", {"s": str(cell[0])}, [self.train])
            for cell in unevaluated
        }
        evaluated = [
            self._job("evaluate", folder / "evaluate.log", {"s": str(seed), "v": variant}, [self.scored[seed, variant]])
            for seed, variant in unevaluated
        ]
        self._job("report", folder / "report.log", {}, evaluated)

    def _job(self, rule: str, log: Path, wildcards: dict[str, str], needs: list[Job]) -> Job:
        job = Job(rule=SimpleNamespace(name=rule), log=[str(log)], wildcards=SimpleNamespace(e="x", **wildcards))
        self.numbers[job] = len(self.numbers)
        self.dependencies[job] = needs
        return job

    def needrun_jobs(self) -> list[Job]:
        return list(self.dependencies)

    def jobid(self, job: Job) -> int:
        return self.numbers[job]


PLAN = SimpleNamespace(
    variants=lambda name: ["none", "loss", "ip"],
    experiments={"x": SimpleNamespace(settings=SimpleNamespace(seeds=[0, 1]))},
)


def told(
    monkeypatch: pytest.MonkeyPatch, dag: Dag, *failed: Job, error: str | None = None
) -> list[dict[tuple[int, str], str]]:
    """What would be rendered as missing after these jobs failed; error: what Snakemake said of them."""
    asked: list[Any] = []
    monkeypatch.setattr(partial_report, "render_unfinished", lambda plan, experiment, missing: asked.append(missing))
    monkeypatch.setattr(partial_report, "list_unfinished", lambda plan: None)
    watching = partial_report.FailedJobs()
    watching.numbers |= {dag.jobid(job) for job in failed}
    if error:
        watching.emit(logging.makeLogRecord({"msg": error, "levelno": logging.ERROR, "event": LogEvent.ERROR}))
    partial_report.report_what_is_there(PLAN, dag, watching)  # type: ignore[arg-type]
    return asked


def test_the_reason_is_the_last_line_of_the_log_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = Dag(tmp_path, [(1, "ip"), (1, "loss")])
    (tmp_path / "1-ip.log").write_text("Traceback:\n  File x\nKeyError: 'no such column'\n")
    (tmp_path / "1-loss.log").write_text("of an earlier run\n")
    (reasons,) = told(monkeypatch, dag, dag.scored[1, "ip"])
    assert reasons == {(1, "ip"): "score_members: KeyError: 'no such column'", (1, "loss"): "not run"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("died with <Signals.SIGSEGV: 11>.", "the job was killed by SIGSEGV (segmentation fault)"),
        ("returned non-zero exit status 137.", KILLED),
        ("returned non-zero exit status 3.", "ended with status 3"),
        (None, "ended"),
    ],
)
def test_of_a_job_that_could_not_write_its_log_snakemake_says_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, reason: str
) -> None:
    dag = Dag(tmp_path, [(1, "ip")])
    (tmp_path / "train.log").touch()
    words = launch.command("train", ["logs/train.log"], "/a b/.snakemake/scripts/tmp1.train.py", {})
    error = None if said is None else f"CalledProcessError in file x, line 3:\nCommand '{shlex.join(words)}' {said}"
    (reasons,) = told(monkeypatch, dag, dag.train, error=error)
    assert reasons == {(1, "ip"): f"train: {reason}, without a message in its log"}


def test_a_run_that_was_stopped_and_one_without_an_unpruned_model_render_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = Dag(tmp_path, [(1, "ip")])
    assert told(monkeypatch, dag) == []
    dag = Dag(tmp_path, [(0, "none"), (1, "none")])
    assert told(monkeypatch, dag, dag.train) == []
    dag = Dag(tmp_path, [(0, "none"), (1, "ip"), (1, "loss")])
    assert told(monkeypatch, dag, dag.train) == []
