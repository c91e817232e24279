"""What all tests share: in CI a skip whose reason is not on this list is a failure."""

import os
from pathlib import Path

# Every Snakemake that a test starts finds the logger plugin of this tree, installed or not.
os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent / "workflow_scripts")
# Before torch is imported: two test processes of two threads each, on two cores, wait for each other eight times over.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import whole_runs

ALLOWED_IN_CI = (
    "this account may not mount a file system",  # a build machine may be an unprivileged container
    "torch finds no GPU here",
    "HEFT_DATA names no folder",  # with the real data that is not the project's to hand on
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the cases that a quick run leaves out: most modules of the battery."""
    import battery  # here, since the process that only hands out tests collects none and needs no torch

    left_out = set(battery.MODELS) - battery.QUICK
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec and "name" in callspec.params and callspec.params["name"] in left_out:
            item.add_marker(pytest.mark.battery)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes which test runs, before its fixtures are made."""
    whole_runs.running[:] = [item]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Turns a skip into a failure where HEFT_CI is set."""
    report = yield
    if report.skipped and os.environ.get("HEFT_CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(ALLOWED_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"
    return report
