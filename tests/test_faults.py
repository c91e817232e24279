"""After each fault of the real world the next run ends with the table and the tracked runs of an undisturbed one."""

import os
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest
from fault_cases import (
    BY_DATES_ALONE,
    KILLED_ONCE,
    assert_as_undisturbed,
    digests,
    process_of,
    set_clock_back,
    table_of,
    wait_for,
)
from full_disk import make_read_only, resize, small_disk
from made_once import copy_of, finished_run
from tracking_server import Server, free_port
from workspace import TINY, Workspace

from heft.faults import KILLED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose run nobody disturbed."""
    return finished_run(tmp_path_factory, "tiny")[0]


def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on_when_there_is_room(
    tmp_path: Path, undisturbed: Workspace
) -> None:
    with small_disk(tmp_path / "disk", 64_000) as disk:
        workspace = Workspace(disk, {**TINY, "check_disk_space": False})
        made: list[dict[str, str]] = []
        for kilobytes in (300, 1000):
            resize(disk, shutil.disk_usage(disk).used // 1000 + kilobytes)
            printed = workspace.run(expect=1)
            assert printed.count("the disk is full: ") == 1, printed
            assert "free space and run the same command again" in printed
            unwanted = ("Traceback", "Errno", "OSError", "wait for the tracking")
            assert not any(word in printed for word in unwanted), printed
            assert list(disk.rglob("*.tmp")) == []
            made.append(digests(workspace))
            assert made[0].items() <= made[-1].items() <= digests(undisturbed).items()
        resize(disk, 64_000)
        again = workspace.run()
        assert "disk" not in again
        assert made[-1].items() <= digests(workspace).items()
        assert_as_undisturbed(workspace, undisturbed)


def test_the_science_goes_on_without_the_tracker_and_its_records_arrive_with_the_next_run(
    tmp_path: Path, undisturbed: Workspace
) -> None:
    port = free_port()
    workspace = Workspace(tmp_path / "work", TINY, {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"})
    workspace.edit(
        "workflow_scripts/heft/workflow/tracking/delivery.py", "PATIENCE_SECONDS = 15.0", "PATIENCE_SECONDS = 0.0"
    )
    printed = workspace.run()
    assert printed.rstrip().endswith("Report: reports/small/index.html")
    assert printed.count(f"records wait for the tracking store http://127.0.0.1:{port} (it does not answer); ") == 1
    assert "Traceback" not in printed
    pd.testing.assert_frame_equal(table_of(workspace), table_of(undisturbed), check_exact=True)
    store = tmp_path / "store"
    store.mkdir()
    server = Server(store, port)
    try:
        server.wait()
        (workspace.folder / "reports/small/index.html").unlink()
        assert "wait for the tracking" not in workspace.run()
    finally:
        server.stop()
    shutil.copy(store / "server.db", workspace.folder / "mlflow.db")
    assert_as_undisturbed(workspace, undisturbed)


def test_a_delivery_that_is_killed_disturbs_no_run_and_the_next_one_delivers_each_record_once(
    tmp_path: Path, undisturbed: Workspace
) -> None:
    workspace = Workspace(tmp_path, TINY)
    process = workspace.start()
    wait_for(lambda: any(file.stat().st_size > 300 for file in tmp_path.glob(".heft/delivered-*")), process)
    delivery = process_of("deliver.py", tmp_path)
    os.kill(delivery, signal.SIGKILL)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1, printed
    assert "Report: reports/small/index.html" in printed
    assert "The delivery to the tracking store was killed (signal 9, SIGKILL): " in printed
    assert workspace.plan() == []
    printed = workspace.run()
    assert "Nothing to be done; up to date: reports/small/index.html" in printed
    assert "for the tracking store; they are sent now." in printed
    assert workspace.run().strip() == "Nothing to be done; up to date: reports/small/index.html"
    assert_as_undisturbed(workspace, undisturbed)


def test_a_job_that_is_killed_for_memory_fails_with_one_sentence_and_the_next_run_goes_on(
    tmp_path: Path, undisturbed: Workspace
) -> None:
    workspace = Workspace(tmp_path, TINY)
    workspace.edit("workflow_scripts/retrain.py", "    from heft.artifacts", f"{KILLED_ONCE}    from heft.artifacts")
    printed = workspace.run(expect=1)
    assert printed.count(KILLED) == 1, printed
    assert "failed  retrain" in printed
    assert "Traceback" not in printed
    workspace.run()
    assert_as_undisturbed(workspace, undisturbed)


def test_a_run_whose_warm_process_is_killed_ends_as_it_would_have(tmp_path: Path, undisturbed: Workspace) -> None:
    workspace = Workspace(tmp_path, TINY)
    process = workspace.start()
    wait_for((tmp_path / "results/small/seed0/scores/loss.parquet").exists, process)
    warm = process_of("warm.py", tmp_path)
    os.kill(warm, signal.SIGKILL)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    assert "Traceback" not in printed
    assert_as_undisturbed(workspace, undisturbed)


def test_nothing_is_written_into_a_read_only_data_folder(tmp_path: Path, undisturbed: Workspace) -> None:
    import sklearn.datasets

    source = Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    with small_disk(tmp_path / "data", 1000) as data:
        shutil.copy(source, data)
        make_read_only(data)
        workspace = Workspace(tmp_path / "work", TINY, {"HEFT_DATA": str(data)})
        workspace.run("--", "results/small/data/manifest.json")
        assert [file.name for file in data.iterdir()] == ["digits.csv.gz"]
    made, expected = digests(workspace), digests(undisturbed)
    assert made == {name: expected[name] for name in made}
    assert "small/data/inputs.safetensors" in made


@pytest.fixture
def finished(undisturbed: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the undisturbed folder, dates included."""
    return copy_of(undisturbed, tmp_path / "copy")


def test_a_damaged_artifact_is_one_sentence_and_deleting_it_as_that_says_mends_the_run(
    finished: Workspace, undisturbed: Workspace
) -> None:
    metrics = finished.folder / "results/small/seed0/metrics/loss.json"
    metrics.write_text(metrics.read_text().replace('"test_accuracy": 0.', '"test_accuracy": 1.', 1))
    printed = finished.run(expect=1)
    name = metrics.relative_to(finished.folder)
    assert f"report: {name} was changed after it was written, or is damaged (SHA-256); delete it" in printed
    assert "Traceback" not in printed
    metrics.unlink()
    finished.run()
    assert_as_undisturbed(finished, undisturbed)


def test_a_clock_that_was_set_back_within_a_run_costs_at_most_one_repetition(
    finished: Workspace, undisturbed: Workspace
) -> None:
    set_clock_back(finished, "data", "seed0/split", "seed0/train")
    assert finished.plan() == [], "of small inputs Snakemake compares the contents"
    assert finished.plan(*BY_DATES_ALONE) != [], "of large ones the dates, which now are in the future"
    finished.run(*BY_DATES_ALONE)
    assert finished.plan(*BY_DATES_ALONE) == []
    assert_as_undisturbed(finished, undisturbed)


def test_results_from_the_future_do_not_hide_that_their_input_was_made_anew(finished: Workspace) -> None:
    set_clock_back(finished, ".")
    assert finished.plan() == []
    settings = {**TINY["definitions"]["small"], "data": {**TINY["definitions"]["small"]["data"], "validation": 120}}
    finished.configure({**TINY, "definitions": {"small": settings}})
    finished.run("--", "results/small/seed0/split/train.parquet")  # and is killed after it
    assert {"train", "checkpoint", "score_members", "retrain", "evaluate"} <= {job.rule for job in finished.plan()}
