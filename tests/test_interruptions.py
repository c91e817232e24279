"""A killed run goes on by the bare command and ends with the same table; a second run beside a live one stops."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from made_once import finished_run
from workspace import TINY, Workspace

from heft.evaluation.columns import COST_COLUMNS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The comparison table of a run that nobody disturbs."""
    return table_of(finished_run(tmp_path_factory, "tiny")[0])


def table_of(workspace: Workspace) -> pd.DataFrame:
    table = pd.read_csv(workspace.folder / "reports/small/comparison.csv")
    return table.drop(columns=list(COST_COLUMNS))


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.02)


def test_a_run_that_is_killed_again_and_again_goes_on_and_ends_with_the_same_table(
    tmp_path: Path, undisturbed: pd.DataFrame
) -> None:
    workspace = Workspace(tmp_path, TINY)
    for artifact in ("split/test.parquet", "checkpoints/checkpoints.json", "metrics/loss.json"):
        process = workspace.start()
        wait_for((tmp_path / "results/small/seed0" / artifact).exists)
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        assert "lock" not in printed.lower()
    assert "lock" not in workspace.run().lower()
    pd.testing.assert_frame_equal(table_of(workspace), undisturbed, check_exact=True)
    assert workspace.plan() == []


def test_a_second_run_beside_a_live_one_stops_with_one_sentence(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, TINY)
    # Snakemake may refuse first what the live run makes while the second one plans: its first job takes long.
    workspace.edit(
        "workflow_scripts/prepare.py", "    from heft", "    import time\n\n    time.sleep(60)\n    from heft"
    )
    first = workspace.start()
    try:
        wait_for((tmp_path / ".heft" / "run.lock").exists)
        printed = workspace.run(expect=1)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        shutil.rmtree(tmp_path / "results", ignore_errors=True)
    assert "Another run is going on in this folder" in printed
    assert "Traceback" not in printed
