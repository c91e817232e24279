"""Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from whole_runs import for_slow_tests


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of its own; skips the test where this machine has none."""
    for_slow_tests("a browser")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine: the page was not opened in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


def serious_violations(tab: Any) -> list[dict[str, Any]]:
    """What axe-core finds on an open page, of serious or critical impact."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    tab.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    violations = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [violation for violation in violations if violation["impact"] in ("serious", "critical")]
