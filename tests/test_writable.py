"""A place that cannot be written, whatever the cause, is one sentence before the first job."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from full_disk import make_read_only, small_disk
from workspace import TINY, Workspace

from heft.errors import HeftError
from heft.faults import fault_in, full_disk, sentence_of
from heft.workflow.planning.disk_space import model_bytes
from heft.workflow.runtime.writable import check_places, check_writable


@pytest.mark.parametrize("place", [".snakemake", ".heft", "results", "reports", "logs"])
def test_a_file_or_a_broken_link_in_the_place_of_a_folder_is_named(tmp_path: Path, place: str) -> None:
    check_places(tmp_path)
    (tmp_path / ".snakemake").rmdir()
    (tmp_path / place).symlink_to(tmp_path / "nowhere")
    with pytest.raises(HeftError, match=f"{place} is a link to a place that is not there"):
        check_places(tmp_path)
    (tmp_path / place).unlink()
    (tmp_path / place).touch()
    with pytest.raises(HeftError, match=f"{place} is a file; a folder must stand there"):
        check_places(tmp_path)


def test_a_folder_that_is_read_only_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "results", 100) as results:
        check_writable(results)
        make_read_only(results)
        with pytest.raises(HeftError, match="results cannot be used: its file system is read-only; mend that"):
            check_writable(results)


def test_a_disk_that_holds_no_more_files_is_not_called_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1000, files=10) as disk:
        for number in range(9):
            (disk / str(number)).touch()
        assert full_disk(disk / "a.parquet").startswith("no more files can be made (inodes): ")
        with pytest.raises(HeftError, match=r"no more files can be made \(inodes\): .* all 10 files that its disk can"):
            check_writable(disk)
        (disk / "0").unlink()
        assert full_disk(disk / "a.parquet").startswith("the disk is full: ")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        MemoryError(),
        MemoryError("\nUnable to allocate"),
        RuntimeError("what():  std::bad_alloc"),
    ],
)
def test_memory_that_ran_out_is_said_whoever_notices_it(error: Exception) -> None:
    sentence = sentence_of(error)
    assert sentence is not None
    assert sentence.startswith("memory ran out; ")
    assert "smaller ()" not in sentence


def test_a_fault_of_the_machine_in_the_words_of_a_library_is_one_sentence() -> None:
    text = (
        "WorkflowError:\nFailed to create output directory a.\nOSError: [Errno 30] Read-only file system: 'results/a'"
    )
    assert fault_in(text) == (
        "results/a cannot be used: its file system is read-only; mend that and run the same command again"
    )
    assert fault_in("MissingOutputException in rule score: a") is None


def test_models_that_memory_is_too_small_for_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "model_size.py"
    monkeypatch.setattr("heft.workflow.planning.disk_space.SCRIPT", script)
    for text, sentence in (("raise MemoryError('8 GiB')", "memory ran out"), ("raise SystemExit(3)", "status 3")):
        script.write_text(text)
        with pytest.raises(HeftError, match=sentence):
            model_bytes([{"name": "mlp"}])


@pytest.mark.slow
def test_a_project_whose_environment_lies_in_a_folder_with_unusual_letters_runs(tmp_path: Path) -> None:
    folder = tmp_path / "a b'ü #{x} $HOME & (1)"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    workspace = Workspace(folder, TINY)
    target = "results/small/seed0/split/train.parquet"
    command = [str(folder / ".venv/bin/python"), *workspace.command("--", target)[1:]]
    done = subprocess.run(
        command, cwd=folder, env=workspace.environment(), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (folder / target).exists()


@pytest.mark.parametrize("name", ["100%", "'a' \"b\""])
def test_a_folder_in_which_mlflow_cannot_make_its_store_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    with pytest.raises(HeftError, match="MLflow cannot keep its store in a folder whose path holds"):
        check_places()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    check_places()
