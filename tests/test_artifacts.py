"""A writer that fails at any byte leaves what was there before, and says which file and why in one sentence."""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from full_disk import files_of_at_most, make_read_only, small_disk

from heft.artifacts import write_json, write_parquet, write_tensors, write_text
from heft.atomic_files import atomic_path
from heft.checksum import BLANK, CHUNK_BYTES, check, fill_in
from heft.data.input_writer import write_inputs
from heft.errors import HeftError
from heft.faults import error_number, is_disk_full, sentence_of
from heft.workflow.runtime.full_disk import first_to_say_full
from heft.workflow.tracking.records import RecordedRun, RunRecord, append_finished, commit_tags, read_events

LARGE = np.random.default_rng(0).standard_normal(40_000)  # 320 kB, which no writer can compress to one page


WRITERS: dict[str, Callable[[Path], None]] = {
    "text": lambda path: write_text(path, " ".join(map(str, LARGE))),
    "json": lambda path: write_json(path, {"values": LARGE.tolist()}),
    "parquet": lambda path: write_parquet(path, pd.DataFrame({"values": LARGE})),
    "tensors": lambda path: write_tensors(path, {"values": torch.from_numpy(LARGE)}),
    "inputs": lambda path: write_inputs(path, np.tile(LARGE, 2).astype(np.float32).reshape(-1, 1, 10, 10)),
}


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    return WRITERS[request.param]


@pytest.mark.parametrize("n_bytes", [0, 1, 4096, 300_001])
def test_a_write_that_fails_at_any_byte_leaves_the_former_file_and_nothing_else(
    tmp_path: Path, writer: Callable[[Path], None], n_bytes: int
) -> None:
    path = tmp_path / "artifact"
    path.write_text("former")
    with files_of_at_most(n_bytes), pytest.raises(OSError, match="artifact") as caught:
        writer(path)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_sentence_that_names_the_file(tmp_path: Path, writer: Callable[[Path], None]) -> None:
    with small_disk(tmp_path / "disk", 100) as disk:
        path = disk / "artifact"
        with pytest.raises(OSError, match="artifact") as caught:
            writer(path)
        assert caught.value.errno == errno.ENOSPC
        assert list(disk.iterdir()) == []
        sentence = sentence_of(caught.value)
    assert sentence is not None
    assert sentence.startswith(f"the disk is full: {path} could not be written (0.1 MB free); free space and run")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("n_bytes", [0, 100, 1000])
def test_a_library_that_says_it_only_in_its_text_is_understood(tmp_path: Path, number: int, n_bytes: int) -> None:
    class LibraryError(Exception):
        pass

    def write() -> None:
        with atomic_path(tmp_path / "artifact") as temporary:
            temporary.write_bytes(b"x" * n_bytes)
            raise LibraryError(f"Error while serializing: I/O error: whatever (os error {number})")

    with pytest.raises(OSError, match="artifact") as caught:
        write()
    assert caught.value.errno == number
    assert is_disk_full(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_block_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(HeftError, match="row 3"), atomic_path(tmp_path / "artifact"):
        raise HeftError("row 3 is wrong")
    with pytest.raises(FileNotFoundError, match="other"), atomic_path(tmp_path / "artifact"):
        (tmp_path / "other").read_text()


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EACCES, "no permission"),
        (errno.EPERM, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "input/output error"),
        (errno.EFBIG, "ulimit -f"),
    ],
)
def test_a_place_that_may_not_be_written_is_a_sentence_that_names_it(number: int, says: str) -> None:
    sentence = sentence_of(OSError(number, "whatever", "results/e/x.parquet"))
    assert sentence is not None
    assert sentence.startswith("results/e/x.parquet cannot be used: ")
    assert says in sentence


def test_a_read_only_folder_is_named(tmp_path: Path, writer: Callable[[Path], None]) -> None:
    with small_disk(tmp_path / "disk", 1000) as disk:
        make_read_only(disk)
        for path, named in ((disk / "artifact", disk / "artifact"), (disk / "folder" / "artifact", disk / "folder")):
            with pytest.raises(OSError, match=r"artifact|folder") as caught:
                writer(path)
            assert (sentence_of(caught.value) or "").startswith(f"{named} cannot be used: its file system is read-only")


def test_too_little_memory_is_a_sentence_and_a_bug_is_none() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    for error in (caught.value, MemoryError(), MemoryError("Unable to allocate 3 TiB")):
        assert (sentence_of(error) or "").startswith("memory ran out; run the same command again with fewer --cores")
    assert sentence_of(RuntimeError("shapes do not match")) is None
    assert sentence_of(FileNotFoundError(errno.ENOENT, "No such file", "x")) is None
    assert error_number(ValueError("nothing of the kind")) is None


def test_of_several_jobs_one_says_that_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert first_to_say_full()  # there is not even the folder for the mark
    (tmp_path / ".heft").mkdir()
    assert [first_to_say_full() for _ in range(3)] == [True, False, False]


def finished(value: float) -> tuple[RecordedRun, dict[str, float]]:
    return RecordedRun("e", "evaluate", 0, "ip", "remove", value), {f"metric{index}": value for index in range(50)}


@pytest.mark.parametrize("n_bytes", [0, 1, 300, 700, 2000])
def test_a_record_that_fails_at_any_byte_names_its_file_and_keeps_its_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_bytes: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("results/e/record.jsonl")
    commit_tags()  # kept from here on; git, which is killed below the limit, would leave the project's index locked
    with files_of_at_most(n_bytes), pytest.raises(OSError, match=r"record\.jsonl"):
        append_finished(path, [finished(0.1), finished(0.2)])
    append_finished(path, [finished(0.3)])
    events = read_events(path)
    assert [event["event"] for event in events[-3:]] == ["start", "metrics", "end"]
    assert len(events) == path.read_bytes().count(b"}\n")


def test_an_open_record_on_a_full_disk_gives_way_to_the_first_error_and_closes_its_cut_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def work(end_fails: bool) -> None:
        with RunRecord.start(f"{end_fails}.jsonl", "e", "train", seed=0) as record:
            with files_of_at_most(record.path.stat().st_size + 20), pytest.raises(OSError, match=r"\.jsonl"):
                record.metrics({"loss": 1.0})
            if end_fails:
                monkeypatch.setattr("heft.workflow.tracking.records.writing.append_events", full)
            else:
                record.metrics({"loss": 2.0})
            raise ValueError("first")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for end_fails in (False, True):
        with pytest.raises(ValueError, match="first"):
            work(end_fails)
    assert [event["event"] for event in read_events("False.jsonl")] == ["start", "metrics", "end"]


@pytest.mark.parametrize("after", [0, CHUNK_BYTES - 3, 5 * CHUNK_BYTES])
def test_the_last_place_for_a_digest_is_found_wherever_it_lies(tmp_path: Path, after: int) -> None:
    file, head, tail = tmp_path / "artifact", b"first " + BLANK.encode() + b" and " + b"." * CHUNK_BYTES, b"." * after
    file.write_bytes(head + BLANK.encode() + tail)
    fill_in(file)
    digest = hashlib.sha256(head + BLANK.encode() + tail).hexdigest().encode()
    assert file.read_bytes() == head + b"sha256:" + digest + tail
    check(file)
