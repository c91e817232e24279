"""Features by content: known ones are not computed again, damaged ones are, and processes share a file."""

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from heft.data.encoders.cache import FeatureCache


def features_of(names: list[str], width: int = 3) -> dict[str, np.ndarray]:
    return {name: np.full(width, int(name, 16), np.float32) for name in names}


def test_what_was_put_in_is_found_by_the_next_one(tmp_path: Path) -> None:
    given = features_of([f"{number:x}" for number in range(1200)])
    FeatureCache(tmp_path, "a", 3).put(given)
    found = FeatureCache(tmp_path, "a", 3).get([*given, *given, "gone"])
    assert found.keys() == given.keys()
    assert all(np.array_equal(found[name], given[name]) for name in given)
    assert FeatureCache(tmp_path, "b", 3).get(list(given)) == {}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "features = substr(features, 1, 11)",
        "features = x'07' || substr(features, 2)",
        "features = NULL",
        "checksum = NULL",
        "hash = 'ff'",
    ],
)
def test_a_damaged_entry_is_missing_and_may_be_written_again(damage: str, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "a", 3)
    cache.put(features_of(["1", "2"]))
    cache.close()
    database = sqlite3.connect(cache.path)
    with database:
        assert database.execute(f"UPDATE features SET {damage} WHERE hash = '1'").rowcount == 1
    database.close()
    cache = FeatureCache(tmp_path, "a", 3)
    assert cache.get(["1", "2", "ff"]).keys() == {"2"}
    cache.put(features_of(["1"]))
    assert cache.get(["1", "2"]).keys() == {"1", "2"}


@pytest.mark.parametrize("opened", [True, False])
def test_a_file_that_is_no_database_is_replaced(opened: bool, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "a", 3)
    cache.put(features_of(["1"]))
    cache.path.write_bytes(b"no database" * 1000)
    cache = cache if opened else FeatureCache(tmp_path, "a", 3)
    assert cache.get(["1"]) == {}
    cache.put(features_of(["1"]))
    assert FeatureCache(tmp_path, "a", 3).get(["1"]).keys() == {"1"}


def write_all(folder: Path, first: int, endless: bool) -> None:
    cache = FeatureCache(folder, "a", 3)
    number = first
    while endless or number < first + 100:
        cache.put(features_of([f"{number:x}", f"{number + 1:x}"]))
        number += 1


def test_two_processes_write_into_one_file_at_once(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("fork")
    processes = [spawned.Process(target=write_all, args=(tmp_path, first, False)) for first in (0, 50)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(FeatureCache(tmp_path, "a", 3).get([f"{number:x}" for number in range(151)])) == 151


def test_a_killed_process_leaves_a_file_that_others_go_on_with(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=write_all, args=(tmp_path, 0, True))
    writer.start()
    reader = FeatureCache(tmp_path, "a", 3)
    while not reader.get(["20"]):  # 32 writes
        assert writer.is_alive()
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    found = FeatureCache(tmp_path, "a", 3)
    assert len(found.get([f"{number:x}" for number in range(33)])) == 33
    found.put(features_of(["ffffff"]))
    assert found.get(["ffffff"]).keys() == {"ffffff"}


def test_a_full_disk_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "a", 3)
    database = cache._database
    database.execute("PRAGMA max_page_count = 5")
    with pytest.raises(OSError, match="full") as caught:
        cache.put(features_of([f"{number:x}" for number in range(3000)]))
    assert caught.value.filename == str(cache.path)
