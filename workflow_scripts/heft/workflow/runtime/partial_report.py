"""The report of what a failed run has evaluated, with the reason of everything that it lacks.

It never looks finished to Snakemake: the record of the report, an output of its rule, is not there afterwards, so that
the next run makes the real one.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from heft.variants import NONE
from heft.workflow.planning import paths
from heft.workflow.planning.plan import Plan
from heft.workflow.runtime.job_end import sentence_of_signal
from heft.workflow.runtime.snakemake_log import LOGGER, event_of, say

SCRIPT = Path(__file__).parents[3] / "report_incomplete.py"
LONGEST_REASON = 400
NOT_RUN = "not run"
STOPPED = "Terminating processes on user request"  # what Snakemake says after an interrupt


class FailedJobs(logging.Handler):
    """Remembers the numbers of the jobs that failed, and whether a person stopped the run, from Snakemake's logger.

    ends: {rule: how its job ended}, for a job that could not write its log.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()
        self.stopped = False
        self.ends: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Reads one record."""
        event = event_of(record)
        if event == "job_error":
            self.numbers.add(record.__dict__["jobid"])
        elif event.endswith("error"):
            self._note_end(record.getMessage())
        elif record.getMessage().startswith(STOPPED):
            self.stopped = True

    def _note_end(self, text: str) -> None:
        """From `Command '... .train.py train logs/...' died with <Signals.SIGKILL: 9>` or `... exit status 139.`"""
        rule = re.search(r"\.py'? (\w+) ", text)
        number = re.search(r"(?:died with <Signals\.\w+: |exit status )(\d+)", text)
        if rule and number:
            signal_number = int(number[1]) - (128 if "exit status" in number[0] else 0)
            known = signal_number > 0
            self.ends[rule[1]] = sentence_of_signal(signal_number) if known else f"ended with status {number[1]}"


def watch_failures() -> FailedJobs:
    """A handler on Snakemake's logger from now on."""
    handler = FailedJobs()
    LOGGER.addHandler(handler)
    return handler


def report_what_is_there(plan: Plan, dag: Any, failed: FailedJobs) -> None:
    """Renders the report of each experiment whose report this run owed, where none and another variant of a seed are
    evaluated; a run that was stopped rather than failed leaves everything as it is.

    dag: Snakemake's, after the run. What it still holds as to be run is missing, or older than what it is made from.
    """
    unfinished = set(dag.needrun_jobs())
    owed = {job.wildcards.e for job in unfinished if job.rule.name == "report"}
    if failed.stopped or not failed.numbers:
        return
    for experiment in sorted(owed):
        missing = {
            (int(job.wildcards.s), job.wildcards.v): _reason(job, unfinished, dag, failed)
            for job in unfinished
            if job.rule.name == "evaluate" and job.wildcards.e == experiment
        }
        if missing and _worth_showing(plan, experiment, missing):
            render_unfinished(plan, experiment, missing)
    list_unfinished(plan)


def _worth_showing(plan: Plan, experiment: str, missing: Mapping[tuple[int, str], str]) -> bool:
    variants = plan.variants(experiment)
    for seed in plan.experiments[experiment].settings.seeds:
        there = {variant for variant in variants if (seed, variant) not in missing}
        if NONE in there and len(there) > 1:
            return True
    return False


def _reason(job: Any, unfinished: set[Any], dag: Any, failed: FailedJobs) -> str:
    """Why a job did not end: the last line in the log of the failed job that it waited for, or of its own."""
    causes = [needed for needed in _upstream(job, unfinished, dag) if dag.jobid(needed) in failed.numbers]
    if not causes:
        return NOT_RUN
    rule, log = causes[-1].rule.name, Path(str(causes[-1].log[0]))
    said = log.read_text(encoding="utf-8", errors="replace").strip() if log.is_file() else ""
    if not said:
        return f"{rule}: {failed.ends.get(rule, 'ended')}, without a message in its log"
    return f"{rule}: {said.splitlines()[-1][:LONGEST_REASON].removesuffix('.')}"


def _upstream(job: Any, unfinished: set[Any], dag: Any) -> Iterator[Any]:
    """The job, then what it waits for, nearest first."""
    waiting, seen = [job], {job}
    while waiting:
        yield (current := waiting.pop(0))
        needed = [other for other in dag.dependencies[current] if other in unfinished and other not in seen]
        seen.update(needed)
        waiting += sorted(needed, key=dag.jobid)


def list_unfinished(plan: Plan) -> None:
    """Makes the index of reports anew, in which what is unfinished is shown as such."""
    if not any(Path("reports").glob("*/index.html")):
        return
    subprocess.run([sys.executable, str(SCRIPT)], input=json.dumps({"index": list(plan.experiments)}), text=True)


def render_unfinished(plan: Plan, experiment: str, missing: Mapping[tuple[int, str], str]) -> None:
    """Renders the report of an experiment without what is missing: {(seed, variant): reason}.

    It runs in a process of its own: what draws need not be imported here, and cannot take the end of the run with it.
    """
    page = paths.PAGE.format(e=experiment)
    Path(paths.REPORT_RECORD.format(e=experiment)).unlink(missing_ok=True)
    asked = {
        "experiment": experiment,
        "configuration": plan.settings(experiment),
        "actions": plan.compared_actions(experiment),
        "variants": {variant: plan.variant(experiment, variant) for variant in plan.variants(experiment)},
        "scored": list(plan.experiments[experiment].variants),
        "missing": [[seed, variant, reason] for (seed, variant), reason in sorted(missing.items())],
        "page": page,
    }
    done = subprocess.run([sys.executable, str(SCRIPT)], input=json.dumps(asked), text=True)
    if done.returncode == 0:
        cells = len(plan.variants(experiment)) * len(plan.experiments[experiment].settings.seeds)
        what = f"evaluated: {cells - len(missing)} of {cells}; its top says what is missing, and why"
        say(f"Incomplete report: {page} ({what})")
