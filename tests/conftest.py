"""What all tests share: in CI a skip that is not on this list is a failure."""

import os

import pytest

ALLOWED_IN_CI: tuple[str, ...] = ()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Turns a skip into a failure where HEFT_CI is set."""
    report = yield
    if (
        report.skipped
        and os.environ.get("HEFT_CI")
        and not hasattr(report, "wasxfail")
        and item.nodeid not in ALLOWED_IN_CI
    ):
        report.outcome = "failed"
        report.longrepr = (
            f"skipped in CI: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
        )
    return report
