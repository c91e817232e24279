"""What accompanies a run: of Snakemake's limits, only the one that nobody asked for is lifted."""

from types import SimpleNamespace

import pytest
from snakemake.settings.types import MaxJobsPerTimespan

from heft.workflow.runtime.session import lift_default_rate


def scheduler_with(limit: str) -> SimpleNamespace:
    return SimpleNamespace(job_rate_limiter=MaxJobsPerTimespan.parse_choice(limit))


def test_the_default_limit_of_job_starts_is_lifted() -> None:
    scheduler = scheduler_with("100/1s")
    lift_default_rate(scheduler)
    assert scheduler.job_rate_limiter is None


@pytest.mark.parametrize("limit", ["10/1s", "100/1m"])
def test_a_limit_that_a_person_set_stays(limit: str) -> None:
    scheduler = scheduler_with(limit)
    lift_default_rate(scheduler)
    assert scheduler.job_rate_limiter is not None


def test_a_dry_run_has_none() -> None:
    scheduler = SimpleNamespace(job_rate_limiter=None)
    lift_default_rate(scheduler)
    assert scheduler.job_rate_limiter is None
